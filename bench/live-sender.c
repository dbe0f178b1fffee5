/* Sends TCP segments at a steady rate over a raw socket, for bench/live.mjs.

   live-sender IFACE RATE SECONDS FLOWS PAYLOAD PORT

   RATE is packets a second (0: as many as can be), PAYLOAD octets of each segment. Every flow begins with a SYN and goes
   on with data in order; after 200 segments it ends with a FIN and another one takes its place, so that there are always
   FLOWS flows, all to one PORT. The frames are for a host that isn't there. Prints packets sent and seconds taken. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, HEADERS = 14 + 20 + 20, LONGEST = 1514, LIFE = 200 };

static const unsigned char HEAD[HEADERS] = {
    2, 0, 0, 0, 0, 0x0b, 2, 0, 0, 0, 0, 0x0a, 8, 0,            /* Ethernet */
    0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 97, 0, 1, 10, 97, 0, 2, /* IPv4 */
    0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0   /* TCP */
};

struct flow {
    uint32_t serial, seq;
    unsigned sent;
};

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void put32(unsigned char *at, uint32_t value) {
    value = htonl(value);
    memcpy(at, &value, 4);
}

static void checksum(unsigned char *ip) {
    uint32_t sum = 0;
    ip[10] = ip[11] = 0;
    for (int i = 0; i < 20; i += 2) sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    ip[10] = (unsigned char)(sum >> 8);
    ip[11] = (unsigned char)sum;
}

/* Writes the flow's next segment; its length. */
static size_t next(unsigned char *frame, struct flow *flow, unsigned flows, unsigned payload) {
    unsigned char *ip = frame + 14, *tcp = frame + 34;
    unsigned data = flow->sent == 0 || flow->sent + 1 == LIFE ? 0 : payload;
    uint16_t total = htons((uint16_t)(40 + data));
    memcpy(ip + 2, &total, 2);
    /* Addresses and ports of 2^32 flows before one comes again. */
    put32(ip + 12, 0x0a000000u | (flow->serial >> 14 & 0xffffff));
    tcp[0] = (unsigned char)(0x40 | (flow->serial >> 8 & 0x3f));
    tcp[1] = (unsigned char)flow->serial;
    checksum(ip);
    put32(tcp + 4, flow->seq);
    tcp[13] = flow->sent == 0 ? 0x02 : flow->sent + 1 == LIFE ? 0x11 : 0x18;
    flow->seq += flow->sent == 0 ? 1 : data;
    if (++flow->sent == LIFE) *flow = (struct flow){.serial = flow->serial + flows, .seq = flow->serial * 2654435761u};
    return HEADERS + data;
}

int main(int count, char **args) {
    if (count != 7) return fprintf(stderr, "live-sender IFACE RATE SECONDS FLOWS PAYLOAD PORT\n"), 2;
    double rate = atof(args[2]), seconds = atof(args[3]);
    unsigned flows = (unsigned)atoi(args[4]), payload = (unsigned)atoi(args[5]), to = (unsigned)atoi(args[6]);
    if (payload > LONGEST - HEADERS) payload = LONGEST - HEADERS;
    int port = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(args[1]), .sll_halen = 6, .sll_addr = {2, 0, 0, 0, 0, 0x0b}};
    if (port < 0 || address.sll_ifindex == 0) return perror(args[1]), 1;
    setsockopt(port, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
    struct flow *table = calloc(flows, sizeof *table);
    static unsigned char frames[BATCH][LONGEST];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    for (unsigned i = 0; i < flows; i++) table[i] = (struct flow){.serial = i, .seq = i * 2654435761u};
    for (int i = 0; i < BATCH; i++) {
        memcpy(frames[i], HEAD, HEADERS);
        frames[i][36] = (unsigned char)(to >> 8);
        frames[i][37] = (unsigned char)to;
        for (int j = HEADERS; j < LONGEST; j++) frames[i][j] = (unsigned char)(j * 7);
        parts[i].iov_base = frames[i];
        messages[i].msg_hdr = (struct msghdr){.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &parts[i], .msg_iovlen = 1};
    }
    unsigned long sent = 0;
    unsigned at = 0;
    double start = now(), end = start + seconds;
    for (double time = start; time < end; time = now()) {
        double due = rate > 0 ? (time - start) * rate - (double)sent : BATCH;
        if (due < 1) {
            struct timespec pause = {0, 50000};
            nanosleep(&pause, NULL);
            continue;
        }
        unsigned many = due < BATCH ? (unsigned)due : BATCH;
        for (unsigned i = 0; i < many; i++) {
            parts[i].iov_len = next(frames[i], &table[at], flows, payload);
            at = at + 1 == flows ? 0 : at + 1;
        }
        /* What the interface has no room for is sent again. */
        for (unsigned done = 0; done < many;) {
            int taken = sendmmsg(port, messages + done, many - done, 0);
            if (taken > 0) done += (unsigned)taken;
        }
        sent += many;
    }
    printf("%lu %.3f\n", sent, now() - start);
    return 0;
}
