/* A bad wire between two network interfaces: forwards frames both ways, loses some, repeats some, and holds some back
   so that later ones overtake them.

   lossy-wire IFACE IFACE SEED LOSS REPEAT HOLD     the last three: in how many of 10,000 frames it happens

   Runs until it is told to stop (SIGTERM), then prints how often each happened. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 2048, BURST = 32, PATIENCE_MS = 3 };

/* One direction's frame that later ones overtake; `behind` counts how many still may. */
struct held {
    unsigned char frame[LONGEST];
    ssize_t length;
    unsigned behind;
};

static volatile sig_atomic_t stopped;
static uint32_t state;
static unsigned long forwarded, lost, repeated, overtaken;

static void stop(int signal) {
    (void)signal;
    stopped = 1;
}

static uint32_t below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static int open_port(const char *name) {
    int port = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    int one = 1, room = 32 << 20;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
    if (port < 0 || address.sll_ifindex == 0 || bind(port, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(name);
        exit(1);
    }
    /* What this program sends itself must not come back. */
    setsockopt(port, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
    setsockopt(port, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    return port;
}

static void forward(int port, const unsigned char *frame, ssize_t length) {
    if (send(port, frame, (size_t)length, 0) == length) forwarded++;
}

static void release(int port, struct held *held) {
    if (held->length > 0) forward(port, held->frame, held->length);
    held->length = 0;
}

static void take(int port, const unsigned char *frame, ssize_t length, struct held *held, const uint32_t rates[3]) {
    if (below(10000) < rates[0]) {
        lost++;
        return;
    }
    if (held->length == 0 && below(10000) < rates[2]) {
        memcpy(held->frame, frame, (size_t)length);
        held->length = length;
        held->behind = 1 + below(6);
        overtaken++;
        return;
    }
    forward(port, frame, length);
    if (below(10000) < rates[1]) {
        forward(port, frame, length);
        repeated++;
    }
    if (held->length > 0 && --held->behind == 0) release(port, held);
}

int main(int count, char **words) {
    static struct held held[2];
    unsigned char frame[LONGEST];
    uint32_t rates[3];
    if (count != 7) return 2;
    signal(SIGTERM, stop);
    state = (uint32_t)strtoul(words[3], NULL, 10) | 1;
    for (int i = 0; i < 3; i++) rates[i] = (uint32_t)strtoul(words[4 + i], NULL, 10);
    struct pollfd ports[2] = {{open_port(words[1]), POLLIN, 0}, {open_port(words[2]), POLLIN, 0}};
    puts("ready");
    fflush(stdout);
    while (!stopped) {
        /* A frame held back when nothing follows goes on alone. */
        if (poll(ports, 2, PATIENCE_MS) == 0)
            for (int i = 0; i < 2; i++) release(ports[1 - i].fd, &held[i]);
        for (int i = 0; i < 2; i++)
            for (int n = 0; n < BURST; n++) {
                ssize_t length = recv(ports[i].fd, frame, sizeof frame, MSG_DONTWAIT);
                if (length <= 0) break;
                take(ports[1 - i].fd, frame, length, &held[i], rates);
            }
    }
    printf("forwarded %lu lost %lu repeated %lu overtaken %lu\n", forwarded, lost, repeated, overtaken);
    return 0;
}
