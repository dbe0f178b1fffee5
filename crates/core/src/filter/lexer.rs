//! From an expression's octets to tokens. A word is as long as it can be, as in tcpdump: `len-4` is one word.

use std::net::Ipv6Addr;

use super::error::FilterError;
use super::words;

/// Longest expression that is compiled, in octets.
pub const MAX_EXPRESSION_LEN: usize = 65_536;

/// The longest IPv6 address in text; the bound keeps the scan of a long expression linear.
const MAX_ADDRESS_LEN: usize = 45;

/// A token's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tok<'a> {
    /// A keyword or a name.
    Word(&'a str),
    /// A name after a backslash: never a keyword.
    Escaped(&'a str),
    Num(u32),
    /// Two to four numbers with dots between, left-aligned, and how many there are.
    V4(u32, u8),
    V6(u128),
    Mac([u8; 6]),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Colon,
    Slash,
    And,
    Or,
    Not,
    Plus,
    Minus,
    Star,
    Percent,
    Ampersand,
    Pipe,
    Caret,
    ShiftLeft,
    ShiftRight,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    End,
}

/// A token and the octets it takes, `[start, end)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub tok: Tok<'a>,
    pub span: (usize, usize),
}

/// All tokens of `text`; the last one is [`Tok::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, FilterError> {
    if text.len() > MAX_EXPRESSION_LEN {
        let expected = format!("at most {MAX_EXPRESSION_LEN} octets");
        return Err(FilterError::new(text, (text.len(), text.len()), expected));
    }
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&octet) = text.as_bytes().get(at) {
        if octet.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let token = token(text, at)?;
        at = token.span.1;
        found.push(token);
    }
    found.push(Token { tok: Tok::End, span: (text.len(), text.len()) });
    Ok(found)
}

/// The token that begins at octet `at`, which is not white space.
fn token(text: &str, at: usize) -> Result<Token<'_>, FilterError> {
    let rest = &text[at..];
    if let Some((tok, len)) = address(rest) {
        return Ok(Token { tok, span: (at, at + len) });
    }
    if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return word(text, at);
    }
    if let Some(name) = rest.strip_prefix('\\') {
        let len = name.find([' ', '!', '(', ')', '\n', '\t']).unwrap_or(name.len());
        return Ok(Token { tok: Tok::Escaped(&name[..len]), span: (at, at + 1 + len) });
    }
    match symbol(rest.as_bytes()) {
        Some((tok, len)) => Ok(Token { tok, span: (at, at + len) }),
        None => {
            let len = rest.chars().next().map_or(0, char::len_utf8);
            Err(FilterError::new(text, (at, at + len), "a keyword, a number, an address or an operator"))
        }
    }
}

/// An IPv6 or MAC address with colons, which no word can hold.
fn address(rest: &str) -> Option<(Tok<'_>, usize)> {
    let of_address = |b: &&u8| b.is_ascii_hexdigit() || matches!(**b, b':' | b'.');
    let len = rest.as_bytes().iter().take(MAX_ADDRESS_LEN + 1).take_while(of_address).count();
    let text = &rest[..len];
    if len > MAX_ADDRESS_LEN || !text.contains(':') {
        return None;
    }
    if let Some(mac) = mac(text, ':') {
        return Some((Tok::Mac(mac), len));
    }
    text.parse::<Ipv6Addr>().ok().map(|addr| (Tok::V6(addr.to_bits()), len))
}

/// Six groups of one or two hexadecimal digits.
fn mac(text: &str, separator: char) -> Option<[u8; 6]> {
    let mut groups = text.split(separator);
    let mut mac = [0; 6];
    for octet in &mut mac {
        let group = groups.next().filter(|g| matches!(g.len(), 1 | 2) && g.bytes().all(|b| b.is_ascii_hexdigit()))?;
        *octet = u8::from_str_radix(group, 16).ok()?;
    }
    groups.next().is_none().then_some(mac)
}

/// Three groups of four hexadecimal digits with dots, as some switches print an address.
fn dotted_mac(text: &str) -> Option<[u8; 6]> {
    let [a, b, c] = <[&str; 3]>::try_from(text.split('.').collect::<Vec<_>>()).ok()?;
    let all_hex = |g: &&str| g.len() == 4 && g.bytes().all(|b| b.is_ascii_hexdigit());
    if ![a, b, c].iter().all(all_hex) {
        return None;
    }
    let [_, _, mac @ ..] = u64::from_str_radix(&format!("{a}{b}{c}"), 16).ok()?.to_be_bytes();
    Some(mac)
}

/// A word, number or dotted address. Octet `at` is a letter or digit.
fn word(text: &str, at: usize) -> Result<Token<'_>, FilterError> {
    let rest = &text[at..];
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
    let word = word.trim_end_matches(['-', '_']);
    let span = (at, at + word.len());
    let tok = match word {
        "and" => Tok::And,
        "or" => Tok::Or,
        "not" => Tok::Not,
        _ if looks_numeric(word) => Tok::Num(number(word).map_err(|what| FilterError::new(text, span, what))?),
        _ if looks_dotted(word) => dotted(word).map_err(|what| FilterError::new(text, span, what))?,
        _ => match mac(word, '-').or_else(|| mac(word, '.')).or_else(|| dotted_mac(word)) {
            Some(mac) => Tok::Mac(mac),
            None => words::constant(word).map_or(Tok::Word(word), Tok::Num),
        },
    };
    Ok(Token { tok, span })
}

fn looks_numeric(word: &str) -> bool {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => word.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn looks_dotted(word: &str) -> bool {
    let parts = word.split('.');
    (2..=4).contains(&parts.clone().count())
        && parts.clone().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// A number as C writes it: decimal, `0x` hexadecimal, `0` octal.
pub(super) fn number(word: &str) -> Result<u32, &'static str> {
    let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if word.len() > 1 && word.starts_with('0') => (word, 8),
        None => (word, 10),
    };
    if radix == 8 && digits.bytes().any(|b| b > b'7') {
        return Err("octal digits after the leading 0");
    }
    u32::from_str_radix(digits, radix).map_err(|_| "a number of at most 32 bits")
}

/// Two to four octets: `10.1` is the value 0x0a010000 and 2.
fn dotted(word: &str) -> Result<Tok<'_>, &'static str> {
    let mut bytes = [0; 4];
    let mut parts = 0;
    for (octet, part) in bytes.iter_mut().zip(word.split('.')) {
        *octet = part.parse().map_err(|_| "an IPv4 address whose parts are 0 to 255")?;
        parts += 1;
    }
    Ok(Tok::V4(u32::from_be_bytes(bytes), parts))
}

/// An operator, and its length.
fn symbol(rest: &[u8]) -> Option<(Tok<'static>, usize)> {
    let two = match rest {
        [b'&', b'&', ..] => Some(Tok::And),
        [b'|', b'|', ..] => Some(Tok::Or),
        [b'=', b'=', ..] => Some(Tok::Eq),
        [b'!', b'=', ..] => Some(Tok::Ne),
        [b'<', b'=', ..] => Some(Tok::Le),
        [b'>', b'=', ..] => Some(Tok::Ge),
        [b'<', b'<', ..] => Some(Tok::ShiftLeft),
        [b'>', b'>', ..] => Some(Tok::ShiftRight),
        _ => None,
    };
    if let Some(tok) = two {
        return Some((tok, 2));
    }
    let tok = match rest.first()? {
        b'(' => Tok::Open,
        b')' => Tok::Close,
        b'[' => Tok::OpenBracket,
        b']' => Tok::CloseBracket,
        b':' => Tok::Colon,
        b'/' => Tok::Slash,
        b'!' => Tok::Not,
        b'+' => Tok::Plus,
        b'-' => Tok::Minus,
        b'*' => Tok::Star,
        b'%' => Tok::Percent,
        b'&' => Tok::Ampersand,
        b'|' => Tok::Pipe,
        b'^' => Tok::Caret,
        b'=' => Tok::Eq,
        b'<' => Tok::Lt,
        b'>' => Tok::Gt,
        _ => return None,
    };
    Some((tok, 1))
}
