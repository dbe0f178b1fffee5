//! From tokens to a tree: chains, negation, parentheses, qualifiers. Operands are read in `operand`, arithmetic in
//! `arith`.
//!
//! `and` and `or` have one precedence and go from left to right; `not` binds its operand alone. An operand without
//! keywords takes the qualifiers of the operand before it: `tcp dst port ftp or 80`.

use std::net::IpAddr;

use super::ast::{Arith, Dir, Expr, Join, Proto, RelOp, Test};
use super::error::FilterError;
use super::lexer::{self, Tok, Token};
use super::words;

/// Deepest nesting of parentheses, negations, accessors and arithmetic.
pub const MAX_DEPTH: usize = 64;

/// What an address, port or protocol number is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unsaid,
    Host,
    Net,
    Port,
    PortRange,
    Proto,
    ProtoChain,
}

/// The keywords before an operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quals {
    pub proto: Option<Proto>,
    pub dir: Dir,
    pub kind: Kind,
}

/// Reads one expression.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    tokens: Vec<Token<'a>>,
    /// For each opening parenthesis, the index of the token after the one that closes it.
    after_close: Vec<usize>,
    at: usize,
    depth: usize,
    /// Operators of the arithmetic expression that is being read.
    pub(super) operators: usize,
    /// Addresses of a host's name; none where names aren't looked up.
    pub(super) lookup: Option<&'a Lookup<'a>>,
}

/// Tells the addresses of a host; none where it has none.
pub type Lookup<'a> = dyn Fn(&str) -> Vec<IpAddr> + 'a;

/// The tree of `text`.
pub(super) fn parse<'a>(text: &'a str, lookup: Option<&'a Lookup<'a>>) -> Result<Expr, FilterError> {
    let tokens = lexer::tokens(text)?;
    let after_close = match_parentheses(&tokens);
    let mut parser = Parser { text, tokens, after_close, at: 0, depth: 0, operators: 0, lookup };
    if parser.peek() == Tok::End {
        return Ok(Expr::Any);
    }
    let (expr, _) = parser.chain(None)?;
    match parser.peek() {
        Tok::End => Ok(expr),
        _ => Err(parser.expected("\"and\", \"or\" or the end")),
    }
}

/// Where each parenthesis is closed, so that one look tells `(a or b)` from `(1 + 2) = len`.
fn match_parentheses(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut after_close = vec![0; tokens.len()];
    let mut open = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        match token.tok {
            Tok::Open => open.push(i),
            Tok::Close => {
                if let Some(start) = open.pop() {
                    after_close[start] = i + 1;
                }
            }
            _ => {}
        }
    }
    after_close
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Tok<'a> {
        self.peek_at(self.at)
    }

    pub(super) fn peek_second(&self) -> Tok<'a> {
        self.peek_at(self.at + 1)
    }

    fn peek_at(&self, index: usize) -> Tok<'a> {
        self.tokens.get(index).map_or(Tok::End, |token| token.tok)
    }

    /// Steps over a token. The end is never passed.
    pub(super) fn bump(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    /// Steps over `tok` if it comes next.
    pub(super) fn accept(&mut self, tok: Tok<'_>) -> bool {
        let there = self.peek() == tok;
        if there {
            self.bump();
        }
        there
    }

    /// An error at the next token.
    pub(super) fn expected(&self, what: impl Into<String>) -> FilterError {
        self.expected_from(self.at, what)
    }

    /// The next token's index, for [`Parser::expected_from`].
    pub(super) fn mark(&self) -> usize {
        self.at
    }

    /// An error at token `from`, which may be some tokens back, and all up to the last one that was read.
    pub(super) fn expected_from(&self, from: usize, what: impl Into<String>) -> FilterError {
        let span = |i: usize| self.tokens.get(i).map_or((self.text.len(), self.text.len()), |token| token.span);
        let last = self.at.saturating_sub(1).max(from);
        FilterError::new(self.text, (span(from).0, span(last).1), what)
    }

    /// Runs `read` one level deeper.
    pub(super) fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth >= MAX_DEPTH {
            return Err(self.expected(format!("at most {MAX_DEPTH} nested levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// Operands joined by `and` and `or`; gives the qualifiers that the last one leaves to the next.
    fn chain(&mut self, inherited: Option<Quals>) -> Result<(Expr, Option<Quals>), FilterError> {
        let (first, mut quals) = self.term(inherited)?;
        let mut rest = Vec::new();
        loop {
            let join = match self.peek() {
                Tok::And => Join::And,
                Tok::Or => Join::Or,
                _ => break,
            };
            self.bump();
            let (expr, left) = self.term(quals)?;
            quals = left;
            rest.push((join, expr));
        }
        Ok((if rest.is_empty() { first } else { Expr::Chain(Box::new(first), rest) }, quals))
    }

    fn term(&mut self, inherited: Option<Quals>) -> Result<(Expr, Option<Quals>), FilterError> {
        match self.peek() {
            Tok::Not => {
                self.bump();
                let (inner, quals) = self.nested(|p| p.term(inherited))?;
                Ok((Expr::Not(Box::new(inner)), quals))
            }
            Tok::Open if !self.arithmetic_parenthesis() => {
                self.bump();
                let (inner, _) = self.nested(|p| p.chain(inherited))?;
                self.close()?;
                // What stands in parentheses leaves no qualifiers behind.
                Ok((inner, inherited))
            }
            _ => self.primitive(inherited),
        }
    }

    fn close(&mut self) -> Result<(), FilterError> {
        if self.accept(Tok::Close) { Ok(()) } else { Err(self.expected("\"and\", \"or\" or \")\"")) }
    }

    /// Whether the parenthesis that opens here holds a number: an operator stands behind it.
    fn arithmetic_parenthesis(&self) -> bool {
        let after = self.after_close.get(self.at).copied().unwrap_or(0);
        after > 0 && continues_number(self.peek_at(after))
    }

    fn primitive(&mut self, inherited: Option<Quals>) -> Result<(Expr, Option<Quals>), FilterError> {
        if self.starts_relation() {
            return Ok((Expr::Test(self.relation()?), None));
        }
        if let Some(test) = self.lone_keyword()? {
            return Ok((Expr::Test(test), None));
        }
        let start = self.at;
        let proto = self.proto_keyword();
        if let Some(quals) = self.qualifiers(proto)? {
            return Ok((self.nested(|p| p.operands(quals))?, Some(quals)));
        }
        if let Some(proto) = proto {
            return Ok((Expr::Test(self.after_proto(proto, start)?), None));
        }
        if let Some(test) = self.cast_keyword(None, start)? {
            return Ok((Expr::Test(test), None));
        }
        match inherited {
            Some(quals) if self.starts_operand() => Ok((self.operand(quals)?, Some(quals))),
            Some(_) => Err(self.expected("a primitive")),
            None if self.starts_operand() => {
                Err(self.expected("a keyword (host, net, port, …) before a name or number"))
            }
            None => Err(self.expected("a primitive")),
        }
    }

    fn starts_relation(&self) -> bool {
        match self.peek() {
            Tok::Num(_) => continues_number(self.peek_second()),
            Tok::Open | Tok::Minus | Tok::Word("len" | "length") => true,
            Tok::Word(word) => self.peek_second() == Tok::OpenBracket && Proto::from_keyword(word).is_some(),
            _ => false,
        }
    }

    fn starts_operand(&self) -> bool {
        matches!(self.peek(), Tok::Num(_) | Tok::V4(..) | Tok::V6(_) | Tok::Mac(_) | Tok::Word(_) | Tok::Escaped(_))
    }

    fn relation(&mut self) -> Result<Test, FilterError> {
        let left = self.whole_arith()?;
        let op = match self.peek() {
            Tok::Eq => RelOp::Eq,
            Tok::Ne => RelOp::Ne,
            Tok::Gt => RelOp::Gt,
            Tok::Ge => RelOp::Ge,
            Tok::Lt => RelOp::Lt,
            Tok::Le => RelOp::Le,
            _ => return Err(self.expected("a comparison (=, !=, <, <=, >, >=)")),
        };
        self.bump();
        Ok(Test::Relation(left, op, self.whole_arith()?))
    }

    /// Primitives of one keyword and perhaps a number.
    fn lone_keyword(&mut self) -> Result<Option<Test>, FilterError> {
        let Tok::Word(word) = self.peek() else { return Ok(None) };
        let test = match word {
            "less" | "greater" => {
                self.bump();
                let limit = Arith::Num(self.number("a length in octets")?);
                Test::Relation(Arith::Len, if word == "less" { RelOp::Le } else { RelOp::Ge }, limit)
            }
            "inbound" | "outbound" => {
                self.bump();
                Test::Outbound(word == "outbound")
            }
            "vlan" => Test::Vlan(self.tag(0xfff, "a VLAN id of at most 4095")?),
            "mpls" => Test::Mpls(self.tag(0xf_ffff, "an MPLS label of at most 1048575")?),
            "pppoes" => Test::Pppoes(self.tag(0xffff, "a PPPoE session id of at most 65535")?),
            "geneve" => Test::Geneve(self.tag(0xff_ffff, "a Geneve network identifier of at most 16777215")?),
            "llc" => {
                self.bump();
                Test::Llc(self.llc_type()?)
            }
            "pppoed" => {
                self.bump();
                Test::Pppoed
            }
            _ => return Ok(None),
        };
        Ok(Some(test))
    }

    /// The type of an LLC frame, where a word stands there.
    fn llc_type(&mut self) -> Result<Option<(u32, u32)>, FilterError> {
        let (Tok::Word(word) | Tok::Escaped(word)) = self.peek() else { return Ok(None) };
        let control = words::llc_type(word).ok_or_else(|| {
            self.expected("an LLC frame type (i, s, u, rr, rnr, rej, ui, ua, disc, sabme, test, xid, frmr)")
        })?;
        self.bump();
        Ok(Some(control))
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u32, FilterError> {
        let Tok::Num(n) = self.peek() else { return Err(self.expected(what)) };
        self.bump();
        Ok(n)
    }

    /// Steps over a keyword; gives the number behind it, if any. The number may be in parentheses.
    fn tag(&mut self, max: u32, what: &str) -> Result<Option<u32>, FilterError> {
        self.bump();
        let parenthesis = self.peek() == Tok::Open && matches!(self.peek_second(), Tok::Num(_));
        if parenthesis {
            self.bump();
        }
        let Tok::Num(n) = self.peek() else { return Ok(None) };
        if n > max {
            return Err(self.expected(what));
        }
        self.bump();
        if parenthesis && !self.accept(Tok::Close) {
            return Err(self.expected("\")\""));
        }
        Ok(Some(n))
    }

    fn proto_keyword(&mut self) -> Option<Proto> {
        let Tok::Word(word) = self.peek() else { return None };
        let proto = Proto::from_keyword(word)?;
        self.bump();
        Some(proto)
    }

    /// `src`, `dst or src`, `host`, `port`, `proto` …: what stands before an operand.
    fn qualifiers(&mut self, proto: Option<Proto>) -> Result<Option<Quals>, FilterError> {
        let dir = self.direction();
        let kind = match self.peek() {
            Tok::Word("host") => Kind::Host,
            Tok::Word("net") => Kind::Net,
            Tok::Word("port") => Kind::Port,
            Tok::Word("portrange") => Kind::PortRange,
            Tok::Word("proto") if dir.is_none() => Kind::Proto,
            Tok::Word("protochain") if dir.is_none() => Kind::ProtoChain,
            Tok::Word("gateway") => return Err(self.expected("\"host\" (gateway is not supported)")),
            _ => Kind::Unsaid,
        };
        if kind != Kind::Unsaid {
            self.bump();
        } else if dir.is_none() {
            return Ok(None);
        }
        Ok(Some(Quals { proto, dir: dir.unwrap_or(Dir::Either), kind }))
    }

    fn direction(&mut self) -> Option<Dir> {
        let Tok::Word(word @ ("src" | "dst")) = self.peek() else { return None };
        self.bump();
        let other = if word == "src" { "dst" } else { "src" };
        let dir = match (self.peek(), self.peek_second() == Tok::Word(other)) {
            (Tok::Or, true) => Dir::Either,
            (Tok::And, true) => Dir::Both,
            _ => return Some(if word == "src" { Dir::Src } else { Dir::Dst }),
        };
        self.bump();
        self.bump();
        Some(dir)
    }

    /// A protocol's keyword without qualifiers: alone, or with `broadcast` or `multicast`.
    fn after_proto(&mut self, proto: Proto, start: usize) -> Result<Test, FilterError> {
        if let Some(test) = self.cast_keyword(Some(proto), start)? {
            return Ok(test);
        }
        if proto == Proto::Link {
            return Err(self.expected("host, src, dst, proto, broadcast, multicast or \"[\""));
        }
        Ok(Test::Proto(proto))
    }

    fn cast_keyword(&mut self, proto: Option<Proto>, start: usize) -> Result<Option<Test>, FilterError> {
        let Tok::Word(word @ ("broadcast" | "multicast")) = self.peek() else { return Ok(None) };
        self.bump();
        match (word, proto) {
            ("broadcast", None | Some(Proto::Link)) => Ok(Some(Test::Broadcast)),
            ("broadcast", Some(Proto::Ip)) => Ok(Some(Test::IpBroadcast)),
            ("broadcast", _) => Err(self.expected_from(start, "\"ether\" or \"ip\" before \"broadcast\"")),
            (_, None | Some(Proto::Link)) => Ok(Some(Test::Multicast)),
            (_, Some(Proto::Ip)) => Ok(Some(Test::IpMulticast)),
            (_, Some(Proto::Ip6)) => Ok(Some(Test::Ip6Multicast)),
            _ => Err(self.expected_from(start, "\"ether\", \"ip\" or \"ip6\" before \"multicast\"")),
        }
    }
}

/// Whether a number before `tok` goes on: an arithmetic operator or a comparison.
fn continues_number(tok: Tok<'_>) -> bool {
    matches!(
        tok,
        Tok::Plus
            | Tok::Minus
            | Tok::Star
            | Tok::Slash
            | Tok::Percent
            | Tok::Ampersand
            | Tok::Pipe
            | Tok::Caret
            | Tok::ShiftLeft
            | Tok::ShiftRight
            | Tok::Eq
            | Tok::Ne
            | Tok::Lt
            | Tok::Gt
            | Tok::Le
            | Tok::Ge
    )
}
