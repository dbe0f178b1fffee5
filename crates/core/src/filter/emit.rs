//! Puts steps together: labels that are placed later, comparisons as ranges, jumps that are shortened at the end.

use super::layout::Layout;
use super::program::{ACCEPT, MAX_STEPS, Program, Push, REJECT, Source, Step};

/// Why an expression has no program for a link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The link layer can't carry what is asked for: no packet of it matches.
    NotOnThisLink,
    /// The link layer doesn't tell which way a packet went.
    NoDirection,
    /// The program would have over [`MAX_STEPS`] steps.
    TooLong,
}

pub(super) type Emitted = Result<(), Refusal>;

/// A place in the program that steps jump to, perhaps before it's known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// Both ways on from a question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    pub yes: Label,
    pub no: Label,
}

impl Ways {
    pub(super) fn swapped(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }

    pub(super) fn with_yes(self, yes: Label) -> Self {
        Self { yes, ..self }
    }

    pub(super) fn with_no(self, no: Label) -> Self {
        Self { no, ..self }
    }
}

/// What a step reads, before it's compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub source: Source,
    pub base: u32,
    pub at: u32,
    pub mask: u32,
}

impl Field {
    fn plain(source: Source, at: u32) -> Self {
        Self { source, base: 0, at, mask: u32::MAX }
    }

    pub(super) fn octet(at: u32) -> Self {
        Self::plain(Source::Octet, at)
    }

    pub(super) fn half(at: u32) -> Self {
        Self::plain(Source::Half, at)
    }

    pub(super) fn word(at: u32) -> Self {
        Self::plain(Source::Word, at)
    }

    pub(super) fn masked(self, mask: u32) -> Self {
        Self { mask, ..self }
    }
}

/// A step whose targets are labels.
struct Draft {
    step: Step,
    ways: Ways,
}

/// A program in the making.
pub(super) struct Emitter {
    pub layout: Layout,
    /// A packet tells itself where things lie.
    pub(super) moves: bool,
    drafts: Vec<Draft>,
    pub(super) arith: Vec<Push>,
    /// The step that each label stands for; [`REJECT`] until it's placed.
    targets: Vec<u16>,
}

impl Emitter {
    /// An empty program; its entry and its two ends are labels.
    pub(super) fn new(layout: Layout) -> (Self, Label, Ways) {
        let targets = vec![ACCEPT, REJECT, REJECT];
        let emitter = Self { layout, moves: false, drafts: Vec::new(), arith: Vec::new(), targets };
        (emitter, Label(2), Ways { yes: Label(0), no: Label(1) })
    }

    pub(super) fn label(&mut self) -> Label {
        self.targets.push(REJECT);
        Label(self.targets.len() - 1)
    }

    /// `label` is where the next step will stand.
    pub(super) fn place(&mut self, label: Label) {
        // At most MAX_STEPS steps, which 16 bits hold.
        self.targets[label.0] = u16::try_from(self.drafts.len()).unwrap_or(REJECT);
    }

    /// Asks whether `low <= field <= low + width`.
    pub(super) fn range(&mut self, field: Field, low: u32, width: u32, ways: Ways) -> Emitted {
        if self.drafts.len() >= MAX_STEPS {
            return Err(Refusal::TooLong);
        }
        let Field { source, base, at, mask } = field;
        self.drafts.push(Draft { step: Step { source, yes: 0, no: 0, base, at, mask, low, width }, ways });
        Ok(())
    }

    /// Asks whether the field equals `value`.
    pub(super) fn equal(&mut self, field: Field, value: u32, ways: Ways) -> Emitted {
        self.range(field, value, 0, ways)
    }

    /// Asks whether the field is at least `value`.
    pub(super) fn at_least(&mut self, field: Field, value: u32, ways: Ways) -> Emitted {
        self.range(field, value, u32::MAX - value, ways)
    }

    /// An answer that is known: reads nothing.
    pub(super) fn always(&mut self, answer: bool, ways: Ways) -> Emitted {
        let field = Field::plain(Source::WireLen, 0).masked(0);
        self.equal(field, u32::from(!answer), ways)
    }

    /// The finished program, which begins at `entry`. Answers that are known are jumped over: since all jumps go
    /// forward, the list is walked from its end, and what lies behind a step is settled before the step is.
    pub(super) fn finish(self, entry: Label) -> Program {
        let mut landing = vec![REJECT; self.drafts.len()];
        let mut steps: Vec<Step> = self.drafts.iter().map(|draft| draft.step).collect();
        let land = |landing: &[u16], label: Label| {
            let at = self.targets[label.0];
            landing.get(usize::from(at)).copied().unwrap_or(at)
        };
        for (at, draft) in self.drafts.iter().enumerate().rev() {
            let step = &mut steps[at];
            step.yes = land(&landing, draft.ways.yes);
            step.no = land(&landing, draft.ways.no);
            landing[at] = match step {
                Step { source: Source::WireLen, mask: 0, low: 0, yes, .. } => *yes,
                Step { source: Source::WireLen, mask: 0, no, .. } => *no,
                // Where things lie must be known, wherever that leads.
                Step { source: Source::Geneve4 | Source::Geneve6, .. } => u16::try_from(at).unwrap_or(REJECT),
                // Both answers lead to one place, so the octets aren't read, and may be missing, as in libpcap.
                Step { yes, no, .. } if yes == no => *yes,
                // At most MAX_STEPS steps, which 16 bits hold.
                _ => u16::try_from(at).unwrap_or(REJECT),
            };
        }
        let first = land(&landing, entry);
        Program { first, steps: steps.into(), arith: self.arith.into(), moves: self.moves, starts: None }
    }
}
