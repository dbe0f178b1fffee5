//! Chooses who captures, and puts the parts together.

use tcpskein_core::capture::Input;
use tcpskein_core::error::FlowError;

use crate::capture::Capture;
use crate::control::{Control, Intervals, Shared};
use crate::input::LiveInput;
use crate::options::{Backend, LiveOptions};
use crate::pcap::PcapSource;
use crate::source::PacketSource;

/// A capture that runs: what a session reads, and its control.
pub struct Live {
    /// pcapng with ticks: see [`tcpskein_core::capture::LiveReader`].
    pub input: Box<dyn Input>,
    /// Ends it, and tells when there is something to read.
    pub control: Control,
}

/// Begins to capture.
///
/// # Errors
/// [`FlowError::NotPermitted`], [`FlowError::Interface`], [`FlowError::InterfaceDown`],
/// [`FlowError::LiveUnsupported`], [`FlowError::InvalidOption`], [`FlowError::Io`].
pub fn open(options: &LiveOptions) -> Result<Live, FlowError> {
    struct AsInput;
    impl Visit for AsInput {
        type Output = Box<dyn Input>;

        fn visit(self, capture: Capture<impl PacketSource + 'static>, options: &LiveOptions) -> Self::Output {
            Box::new(LiveInput::new(capture, options))
        }
    }
    let (input, control) = open_with(options, AsInput)?;
    Ok(Live { input, control })
}

/// What is made of a capture, whoever captures.
pub(crate) trait Visit {
    type Output;

    fn visit(self, capture: Capture<impl PacketSource + 'static>, options: &LiveOptions) -> Self::Output;
}

/// Begins to capture and makes something of it.
pub(crate) fn open_with<V: Visit>(options: &LiveOptions, visit: V) -> Result<(V::Output, Control), FlowError> {
    options.check()?;
    match options.backend {
        #[cfg(target_os = "linux")]
        Backend::Auto | Backend::Kernel => open_kernel(options, visit),
        #[cfg(not(target_os = "linux"))]
        Backend::Kernel => Err(FlowError::LiveUnsupported {
            reason: "only Linux captures without a library; leave `backend` out".to_owned(),
        }),
        #[cfg(not(target_os = "linux"))]
        Backend::Auto => open_pcap(options, visit),
        Backend::Pcap => open_pcap(options, visit),
    }
}

#[cfg(target_os = "linux")]
fn open_kernel<V: Visit>(options: &LiveOptions, visit: V) -> Result<(V::Output, Control), FlowError> {
    let source = crate::linux::PacketSocket::open(options)?;
    let shared = Shared::new(options.time_limit);
    let readiness = crate::control::Descriptor::new(source.descriptor())?;
    let control = Control::start(shared.clone(), readiness)?;
    Ok((visit.visit(Capture::new(source, shared, options), options), control))
}

fn open_pcap<V: Visit>(options: &LiveOptions, visit: V) -> Result<(V::Output, Control), FlowError> {
    let source = PcapSource::open(options)?;
    let shared = Shared::new(options.time_limit);
    let control = Control::start(shared.clone(), Intervals::new(PcapSource::INTERVAL))?;
    Ok((visit.visit(Capture::new(source, shared, options), options), control))
}
