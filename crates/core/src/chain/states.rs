//! What the chains beyond basic and tcp remember of each flow, kept apart from what every packet touches and only
//! there where such a chain was chosen.

use super::dns::DnsState;
use super::dscp::DscpState;
use super::ecn::EcnState;
use super::evil::EvilState;
use super::icmp::IcmpState;
use super::mss::MssState;
use super::tcpopt::TcpOptState;
use super::tfo::TfoState;
use super::udp::UdpState;
use super::{Chain, Seen};

/// One flow's states.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChainStates {
    pub(super) tcpopt: TcpOptState,
    pub(super) mss: MssState,
    pub(super) tfo: TfoState,
    pub(super) ecn: EcnState,
    pub(super) dscp: DscpState,
    pub(super) evil: EvilState,
    pub(super) icmp: IcmpState,
    pub(super) udp: UdpState,
    pub(super) dns: DnsState,
}

impl ChainStates {
    /// Shows `chain` a packet. False: the flow is complete.
    fn packet(&mut self, chain: Chain, seen: &Seen<'_>) -> bool {
        match chain {
            Chain::Basic | Chain::Tcp | Chain::Noop => true,
            Chain::TcpOpt => self.tcpopt.packet(seen),
            Chain::Mss => self.mss.packet(seen),
            Chain::Tfo => self.tfo.packet(seen),
            Chain::Ecn => self.ecn.packet(seen),
            Chain::Dscp => self.dscp.packet(seen),
            Chain::Evil => self.evil.packet(seen),
            Chain::Icmp => self.icmp.packet(seen),
            Chain::Udp => self.udp.packet(seen),
            Chain::Dns => self.dns.packet(seen),
        }
    }
}

/// The states of all open flows, by their slot in the flow table.
#[derive(Debug, Default)]
pub struct ColdStates {
    chains: Vec<Chain>,
    states: Vec<ChainStates>,
    none: ChainStates,
}

impl ColdStates {
    /// States for those of `chains` that need any.
    #[must_use]
    pub fn new(chains: &[Chain]) -> Self {
        let chains = chains.iter().copied().filter(|c| !matches!(c, Chain::Basic | Chain::Tcp | Chain::Noop));
        Self { chains: chains.collect(), ..Self::default() }
    }

    /// No chain needs them.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// A new flow is in `slot`.
    pub fn begin(&mut self, slot: usize) {
        if slot >= self.states.len() {
            self.states.resize(slot + 1, ChainStates::default());
        }
        self.states[slot] = ChainStates::default();
    }

    /// Shows every chain a packet of the flow in `slot`. False: one of them says that the flow is complete.
    pub fn packet(&mut self, slot: usize, seen: &Seen<'_>) -> bool {
        let state = &mut self.states[slot];
        let mut keep = true;
        for &chain in &self.chains {
            // Every chain sees the packet, whatever the one before said.
            keep &= state.packet(chain, seen);
        }
        keep
    }

    /// The states of the flow in `slot`.
    #[inline]
    #[must_use]
    pub fn get(&self, slot: usize) -> &ChainStates {
        self.states.get(slot).unwrap_or(&self.none)
    }
}
