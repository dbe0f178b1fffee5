//! Arithmetic: precedence climbing over numbers, `len`, accessors and parentheses.
//!
//! From weak to strong: `|`, `&`, shifts, `+ -`, `* /`, unary minus. `%` and `^` have no rank in tcpdump's grammar:
//! they take the operand at their left as it stands and reach as far right as they can (`8 % 5 * 2` is `8 % (5 * 2)`).

use super::ast::{Arith, ArithOp, Proto};
use super::error::FilterError;
use super::lexer::Tok;
use super::parser::Parser;

/// Most operators in one arithmetic expression: the tree leans to the left and is walked recursively.
const MAX_OPERATORS: usize = 256;

/// Binds stronger than every binary operator.
const UNARY: u8 = 6;

impl Parser<'_> {
    /// One side of a comparison.
    pub(super) fn whole_arith(&mut self) -> Result<Arith, FilterError> {
        self.operators = 0;
        self.arith(0)
    }

    fn arith(&mut self, min: u8) -> Result<Arith, FilterError> {
        self.nested(|p| {
            let mut left = p.unary()?;
            while let Some((op, rank)) = binary(p.peek()) {
                // `min` is the rank below which an operator is left to the caller; no rank means taken here.
                if rank.is_some_and(|rank| rank < min) {
                    break;
                }
                p.count_operator()?;
                p.bump();
                let mark = p.mark();
                let right = p.arith(rank.map_or(0, |rank| rank + 1))?;
                p.check_right(op, &right, mark)?;
                left = Arith::Binary(op, Box::new(left), Box::new(right));
            }
            Ok(left)
        })
    }

    fn count_operator(&mut self) -> Result<(), FilterError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(self.expected(format!("at most {MAX_OPERATORS} operators in a number")));
        }
        Ok(())
    }

    /// tcpdump refuses a division by a written 0 and a shift by a written number over 31.
    fn check_right(&self, op: ArithOp, right: &Arith, mark: usize) -> Result<(), FilterError> {
        match (op, right) {
            (ArithOp::Div | ArithOp::Mod, Arith::Num(0)) => Err(self.expected_from(mark, "a divisor other than 0")),
            (ArithOp::Shl | ArithOp::Shr, Arith::Num(32..)) => {
                Err(self.expected_from(mark, "a shift of at most 31 bits"))
            }
            _ => Ok(()),
        }
    }

    fn unary(&mut self) -> Result<Arith, FilterError> {
        match self.peek() {
            Tok::Minus => {
                self.bump();
                self.count_operator()?;
                Ok(Arith::Neg(Box::new(self.arith(UNARY)?)))
            }
            Tok::Num(n) => {
                self.bump();
                Ok(Arith::Num(n))
            }
            Tok::Word("len" | "length") => {
                self.bump();
                Ok(Arith::Len)
            }
            Tok::Open => {
                self.bump();
                let inner = self.arith(0)?;
                if self.accept(Tok::Close) { Ok(inner) } else { Err(self.expected("an operator or \")\"")) }
            }
            Tok::Word(word) if self.peek_second() == Tok::OpenBracket => self.accessor(word),
            _ => Err(self.expected("a number, \"len\" or an accessor such as tcp[13]")),
        }
    }

    /// `proto[offset]` or `proto[offset:size]`.
    fn accessor(&mut self, word: &str) -> Result<Arith, FilterError> {
        let proto = Proto::from_keyword(word).filter(|proto| is_indexable(*proto));
        let Some(proto) = proto else {
            return Err(self.expected("a protocol whose octets can be read (ether, ip, ip6, tcp, udp, icmp, …)"));
        };
        self.bump();
        self.bump();
        let offset = Box::new(self.arith(0)?);
        let mut size = 1;
        if self.accept(Tok::Colon) {
            size = match self.peek() {
                Tok::Num(1) => 1,
                Tok::Num(2) => 2,
                Tok::Num(4) => 4,
                _ => return Err(self.expected("a size of 1, 2 or 4")),
            };
            self.bump();
        }
        if self.accept(Tok::CloseBracket) {
            Ok(Arith::Load { proto, offset, size })
        } else {
            Err(self.expected("an operator, \":\" or \"]\""))
        }
    }
}

fn is_indexable(proto: Proto) -> bool {
    !matches!(
        proto,
        Proto::Ah
            | Proto::Esp
            | Proto::Aarp
            | Proto::Stp
            | Proto::Ipx
            | Proto::Netbeui
            | Proto::Iso
            | Proto::Clnp
            | Proto::Esis
            | Proto::Isis
    )
}

/// A binary operator and its rank, 1 to 5, if it has one.
fn binary(tok: Tok<'_>) -> Option<(ArithOp, Option<u8>)> {
    Some(match tok {
        Tok::Pipe => (ArithOp::Or, Some(1)),
        Tok::Ampersand => (ArithOp::And, Some(2)),
        Tok::ShiftLeft => (ArithOp::Shl, Some(3)),
        Tok::ShiftRight => (ArithOp::Shr, Some(3)),
        Tok::Plus => (ArithOp::Add, Some(4)),
        Tok::Minus => (ArithOp::Sub, Some(4)),
        Tok::Star => (ArithOp::Mul, Some(5)),
        Tok::Slash => (ArithOp::Div, Some(5)),
        Tok::Percent => (ArithOp::Mod, None),
        Tok::Caret => (ArithOp::Xor, None),
        _ => return None,
    })
}
