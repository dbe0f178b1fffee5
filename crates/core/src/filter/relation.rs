//! Comparisons of numbers. The usual ones, an accessor or `len` against a constant, become one step; all others are
//! computed on a small stack.

use super::ast::{Arith, ArithOp, Proto, RelOp};
use super::codegen::IPV4;
use super::emit::{Emitted, Emitter, Field, Refusal, Ways};
use super::program::{Push, Source};

impl Emitter {
    /// Asks whether `a op b`. First, whether the packet has the protocols that both sides read.
    pub(super) fn relation(&mut self, a: &Arith, op: RelOp, b: &Arith, ways: Ways) -> Emitted {
        self.required(a, ways)?;
        self.required(b, ways)?;
        let ways = if matches!(op, RelOp::Ne | RelOp::Le | RelOp::Lt) { ways.swapped() } else { ways };
        if let (Some(field), Some(value)) = (self.field(a), b.constant()) {
            return match op {
                RelOp::Eq | RelOp::Ne => self.equal(field, value, ways),
                RelOp::Ge | RelOp::Lt => self.at_least(field, value, ways),
                RelOp::Gt | RelOp::Le => match value.checked_add(1) {
                    Some(least) => self.at_least(field, least, ways),
                    // Nothing is greater, but the field must still be there to be read.
                    None => self.range(field.masked(0), 1, 0, ways),
                },
            };
        }
        self.computed(a, op, b, ways)
    }

    /// The slow way. `ways` are swapped already for the negated comparisons.
    fn computed(&mut self, a: &Arith, op: RelOp, b: &Arith, ways: Ways) -> Emitted {
        let from = self.arith.len();
        self.push(a)?;
        self.push(b)?;
        match op {
            RelOp::Eq | RelOp::Ne => self.arith.push(Push::Equal),
            RelOp::Gt | RelOp::Le => self.arith.push(Push::Greater),
            RelOp::Ge | RelOp::Lt => {
                // `a >= b` is `not (b > a)`: the other way round, and the ways are swapped below.
                self.arith.truncate(from);
                self.push(b)?;
                self.push(a)?;
                self.arith.push(Push::Greater);
            }
        }
        let ways = if matches!(op, RelOp::Ge | RelOp::Lt) { ways.swapped() } else { ways };
        let number = |n: usize| u32::try_from(n).map_err(|_| Refusal::TooLong);
        let field = Field {
            source: Source::Relation,
            base: number(from)?,
            at: number(self.arith.len() - from)?,
            mask: u32::MAX,
        };
        self.equal(field, 1, ways)
    }

    /// Asks for the protocols whose octets `arith` reads; goes on behind where they are there.
    fn required(&mut self, arith: &Arith, ways: Ways) -> Emitted {
        match arith {
            Arith::Num(_) | Arith::Len => Ok(()),
            // As in libpcap, an operator's right side isn't checked: `ip[2:2] - tcp[12]` is computed for UDP too.
            Arith::Neg(inner) | Arith::Binary(_, inner, _) => self.required(inner, ways),
            Arith::Load { proto, offset, .. } => {
                self.required(offset, ways)?;
                self.readable(*proto, ways)
            }
        }
    }

    fn readable(&mut self, proto: Proto, ways: Ways) -> Emitted {
        if proto == Proto::Link {
            return Ok(());
        }
        if self.layout.kind.is_opaque() {
            return Err(Refusal::NotOnThisLink);
        }
        let next = self.label();
        let ways = ways.with_yes(next);
        if is_behind_ip4(proto) {
            let first = |e: &mut Self, w| e.and(w, |e, w| e.carries(IPV4, w), |e, w| e.first_fragment(w));
            self.and(ways, |e, w| e.proto(proto, w), first)?;
        } else if proto == Proto::Icmp6 {
            // Unlike the keyword alone, this doesn't look behind a fragment header.
            let field = Field::octet(self.layout.network() + 6);
            self.and(ways, |e, w| e.proto(Proto::Ip6, w), |e, w| e.equal(field, 58, w))?;
        } else {
            self.proto(proto, ways)?;
        }
        self.place(next);
        Ok(())
    }

    /// Where an accessor's octets are counted from, and whether an IPv4 header comes before them.
    fn origin(&self, proto: Proto) -> (u32, bool) {
        match proto {
            Proto::Link => (self.layout.header, false),
            Proto::Icmp6 => (self.layout.network().saturating_add(40), false),
            _ => (self.layout.network(), is_behind_ip4(proto)),
        }
    }

    /// A number that one step can read.
    fn field(&self, arith: &Arith) -> Option<Field> {
        match arith {
            Arith::Len => Some(Field { source: Source::WireLen, base: 0, at: 0, mask: u32::MAX }),
            Arith::Binary(ArithOp::And, inner, mask) => {
                let field = self.field(inner)?;
                let mask = field.mask & mask.constant()?;
                // A step that reads the length under an empty mask stands for a known answer.
                (mask != 0 || field.source != Source::WireLen).then_some(field.masked(mask))
            }
            Arith::Load { proto, offset, size } => {
                let (base, beyond) = self.origin(*proto);
                // Wraps: `ip[-2:2]` is what stands before the IP header.
                let at = base.wrapping_add(offset.constant()?);
                let source = match (size, beyond) {
                    (1, false) => Source::Octet,
                    (2, false) => Source::Half,
                    (_, false) => Source::Word,
                    (1, true) => Source::OctetBeyond,
                    (2, true) => Source::HalfBeyond,
                    (_, true) => Source::WordBeyond,
                };
                Some(Field { source, base, at, mask: u32::MAX })
            }
            _ => None,
        }
    }

    /// Appends `arith` in postfix order.
    fn push(&mut self, arith: &Arith) -> Emitted {
        let push = match arith {
            Arith::Num(n) => Push::Num(*n),
            Arith::Len => Push::Len,
            Arith::Neg(inner) => {
                self.push(inner)?;
                Push::Neg
            }
            Arith::Binary(op, a, b) => {
                self.push(a)?;
                self.push(b)?;
                Push::Binary(*op)
            }
            Arith::Load { proto, offset, size } => {
                let (header, beyond) = self.origin(*proto);
                let size = *size;
                let base = match offset.constant() {
                    // The same as in one step: a constant is part of the base.
                    Some(constant) => {
                        self.arith.push(Push::Num(0));
                        header.wrapping_add(constant)
                    }
                    None => {
                        self.push(offset)?;
                        header
                    }
                };
                if beyond { Push::LoadBeyond { header, base, size } } else { Push::Load { base, size } }
            }
        };
        self.arith.push(push);
        Ok(())
    }
}

/// Accessors that count from the end of an IPv4 header, as tcpdump's do: they never match IPv6.
fn is_behind_ip4(proto: Proto) -> bool {
    matches!(
        proto,
        Proto::Tcp
            | Proto::Udp
            | Proto::Sctp
            | Proto::Icmp
            | Proto::Igmp
            | Proto::Igrp
            | Proto::Pim
            | Proto::Vrrp
            | Proto::Carp
    )
}
