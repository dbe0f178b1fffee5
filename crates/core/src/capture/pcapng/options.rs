//! Option lists of pcapng blocks: code, length, value, padded to four octets (draft-ietf-opsawg-pcapng, section 3.5).

use super::ByteOrder;

/// `opt_comment`, the same in every block.
pub(super) const COMMENT: u16 = 1;

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A whole option: code and value without padding.
    Option(u16, &'a [u8]),
    /// An option that reaches beyond the list; nothing follows.
    Cut,
}

/// The options that begin at the head of `rest`. Ends at `opt_endofopt` or at the end of the octets.
pub(super) struct Options<'a> {
    rest: &'a [u8],
    order: ByteOrder,
}

impl<'a> Options<'a> {
    pub(super) fn new(rest: &'a [u8], order: ByteOrder) -> Self {
        Self { rest, order }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = std::mem::take(&mut self.rest);
        let (header, body) = rest.split_first_chunk::<4>()?;
        let code = self.order.u16([header[0], header[1]]);
        let len = usize::from(self.order.u16([header[2], header[3]]));
        if code == 0 {
            return None;
        }
        let Some(value) = body.get(..len) else { return Some(Item::Cut) };
        self.rest = body.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        Some(Item::Option(code, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_with_padding_end_at_end_of_options() {
        let list = [1, 0, 3, 0, b'a', b'b', b'c', 0, 9, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0];
        let items: Vec<_> = Options::new(&list, ByteOrder::Little).collect();
        assert_eq!(items, [Item::Option(1, b"abc"), Item::Option(9, &[6])]);
    }

    #[test]
    fn options_cut_inside_a_value_say_so_and_end() {
        let list = [0, 2, 0, 1, b'x', 0, 0, 0, 0, 3, 0, 9, 1, 2];
        let items: Vec<_> = Options::new(&list, ByteOrder::Big).collect();
        assert_eq!(items, [Item::Option(2, b"x"), Item::Cut]);
    }

    #[test]
    fn options_without_end_or_last_padding_are_taken() {
        let items: Vec<_> = Options::new(&[0, 2, 0, 1, b'x'], ByteOrder::Big).collect();
        assert_eq!(items, [Item::Option(2, b"x")]);
        assert_eq!(Options::new(&[0, 2, 0], ByteOrder::Big).next(), None);
    }
}
