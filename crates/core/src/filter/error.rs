//! What is wrong with an expression, and where.

use std::fmt;

/// Columns of the expression that [`FilterError::picture`] shows at most.
const PICTURE_WIDTH: usize = 76;

/// An expression that can't be compiled: which token, and what should have stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    expression: String,
    offset: usize,
    token: String,
    expected: String,
}

impl FilterError {
    /// An error at `span` (octets) of `expression`. The span must lie on character boundaries.
    pub(super) fn new(expression: &str, span: (usize, usize), expected: impl Into<String>) -> Self {
        let token = expression.get(span.0..span.1).unwrap_or_default().to_owned();
        Self { expression: expression.to_owned(), offset: span.0, token, expected: expected.into() }
    }

    /// Octets from the start of the expression to the offending token; the expression's length where it ends too soon.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The offending token as it was written; empty where the expression ends too soon.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What should have stood there, in words.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Two lines: the expression (a part of it where it's long), and a caret under the token's first character.
    #[must_use]
    pub fn picture(&self) -> String {
        let column = self.column();
        let from = if column < PICTURE_WIDTH { 0 } else { column - PICTURE_WIDTH / 2 };
        let line: String = self
            .expression
            .chars()
            .skip(from)
            .take(PICTURE_WIDTH)
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let carets = self.token.chars().count().clamp(1, PICTURE_WIDTH - (column - from));
        format!("{line}\n{}{}", " ".repeat(column - from), "^".repeat(carets))
    }

    /// Characters before the token.
    fn column(&self) -> usize {
        self.expression.get(..self.offset).map_or(0, |before| before.chars().count())
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter, column {}: expected {}, found ", self.column() + 1, self.expected)?;
        if self.token.is_empty() { f.write_str("the end") } else { write!(f, "\"{}\"", self.token.escape_debug()) }
    }
}

impl std::error::Error for FilterError {}
