//! A program as classic BPF (McCanne and Jacobson, 1993), which kernels run before a packet is copied.
//!
//! In comes a compiled program, out come instructions that choose the same packets. Where the two machines would differ
//! (reads at computed offsets, shifts by computed numbers), or the program is too long for a kernel, there are none:
//! then the caller runs the program itself.

use super::ast::ArithOp;
use super::program::{ACCEPT, Program, Push, Source, Step};

/// One instruction, as kernels take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassicInstruction {
    /// What to do.
    pub code: u16,
    /// Instructions to leave out where a comparison holds.
    pub jt: u8,
    /// Instructions to leave out where it doesn't.
    pub jf: u8,
    /// A number; of a plain jump the instructions to leave out.
    pub k: u32,
}

/// Most instructions that Linux takes (`BPF_MAXINSNS`); others take fewer and then refuse.
pub const MAX_CLASSIC_LEN: usize = 4096;

/// Numbers that the machine keeps (`BPF_MEMWORDS`).
const MEMORY: usize = 16;
/// Linux reads ancillary data at offsets that are negative as 32-bit numbers.
const MAX_OFFSET: u32 = 0x7fff_0000;

const LD_WORD_ABS: u16 = 0x20;
const LD_HALF_ABS: u16 = 0x28;
const LD_BYTE_ABS: u16 = 0x30;
const LD_WORD_IND: u16 = 0x40;
const LD_HALF_IND: u16 = 0x48;
const LD_BYTE_IND: u16 = 0x50;
const LD_IMM: u16 = 0x00;
const LD_MEM: u16 = 0x60;
const LD_LEN: u16 = 0x80;
const LDX_MEM: u16 = 0x61;
/// X = 4 * (octet & 15): the length of an IPv4 header.
const LDX_MSH: u16 = 0xb1;
const ST: u16 = 0x02;
const ALU: u16 = 0x04;
const SUB: u16 = 0x10;
const AND: u16 = 0x50;
const NEG: u16 = 0x80;
const BY_X: u16 = 0x08;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_GREATER: u16 = 0x25;
const JUMP_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// A comparison whose targets are steps, before it is known how far away they are.
struct Draft {
    code: Vec<ClassicInstruction>,
    /// What to compare with, and where to go.
    test: (u16, u32),
    yes: u16,
    no: u16,
}

/// The program's instructions: a chosen packet answers `accept` (octets of it that are wanted), any other 0.
pub(super) fn assemble(program: &Program, accept: u32) -> Option<Vec<ClassicInstruction>> {
    if program.moves {
        return None;
    }
    let drafts: Vec<Draft> = program.steps.iter().map(|step| draft(program, step)).collect::<Option<_>>()?;
    // A comparison reaches 255 instructions far. Where a target is farther away, a plain jump behind the comparison goes
    // there; that moves others away, so places are computed until none has to be added.
    let mut far = vec![Far::default(); drafts.len()];
    loop {
        let places = Places::of(&drafts, &far);
        if places.end + 2 > MAX_CLASSIC_LEN {
            return None;
        }
        let mut is_stable = true;
        for (at, draft) in drafts.iter().enumerate() {
            let needed = places.far(at, draft);
            is_stable &= needed == far[at];
            far[at] = Far { yes: far[at].yes || needed.yes, no: far[at].no || needed.no };
        }
        if is_stable {
            return Some(places.write(program.first, &drafts, &far, accept));
        }
    }
}

/// Which targets of a comparison need a plain jump. What was far once stays so.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Far {
    yes: bool,
    no: bool,
}

/// Where each step's instructions begin, and where they all end.
struct Places {
    starts: Vec<usize>,
    /// Where each step's comparison stands.
    tests: Vec<usize>,
    far: Vec<Far>,
    end: usize,
}

impl Places {
    fn of(drafts: &[Draft], far: &[Far]) -> Self {
        let (mut starts, mut tests) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        // In front stands a jump to the first step.
        let mut end = 1;
        for (draft, far) in drafts.iter().zip(far) {
            starts.push(end);
            tests.push(end + draft.code.len());
            end += draft.code.len() + 1 + usize::from(far.yes) + usize::from(far.no);
        }
        Self { starts, tests, far: far.to_vec(), end }
    }

    fn target(&self, to: u16) -> usize {
        match to {
            ACCEPT => self.end,
            to => self.starts.get(usize::from(to)).copied().unwrap_or(self.end + 1),
        }
    }

    fn far(&self, at: usize, draft: &Draft) -> Far {
        let behind = self.tests[at] + 1;
        let is_far = |to| self.target(to).saturating_sub(behind) > usize::from(u8::MAX);
        Far { yes: self.far[at].yes || is_far(draft.yes), no: self.far[at].no || is_far(draft.no) }
    }

    fn write(&self, first: u16, drafts: &[Draft], far: &[Far], accept: u32) -> Vec<ClassicInstruction> {
        let mut code = vec![plain(JUMP, (self.target(first) - 1) as u32)];
        for (draft, far) in drafts.iter().zip(far) {
            code.extend_from_slice(&draft.code);
            let (op, k) = draft.test;
            let behind = code.len() + 1;
            // All jumps go forward.
            let near = |to| (self.target(to) - behind) as u8;
            let jt = if far.yes { 0 } else { near(draft.yes) };
            let jf = if far.no { u8::from(far.yes) } else { near(draft.no) };
            code.push(ClassicInstruction { code: op, jt, jf, k });
            for to in [draft.yes].into_iter().filter(|_| far.yes).chain([draft.no].into_iter().filter(|_| far.no)) {
                code.push(plain(JUMP, (self.target(to) - code.len() - 1) as u32));
            }
        }
        code.push(plain(RETURN, accept));
        code.push(plain(RETURN, 0));
        code
    }
}

fn plain(code: u16, k: u32) -> ClassicInstruction {
    ClassicInstruction { code, jt: 0, jf: 0, k }
}

fn draft(program: &Program, step: &Step) -> Option<Draft> {
    let Step { source, at, base, .. } = *step;
    if source == Source::Relation {
        let arith = program.arith.get(base as usize..base as usize + at as usize)?;
        return relation(arith, step);
    }
    if at > MAX_OFFSET || base > MAX_OFFSET {
        return None;
    }
    let mut code = match source {
        Source::Octet => vec![plain(LD_BYTE_ABS, at)],
        Source::Half => vec![plain(LD_HALF_ABS, at)],
        Source::Word => vec![plain(LD_WORD_ABS, at)],
        Source::OctetBeyond => vec![plain(LDX_MSH, base), plain(LD_BYTE_IND, at)],
        Source::HalfBeyond => vec![plain(LDX_MSH, base), plain(LD_HALF_IND, at)],
        Source::WordBeyond => vec![plain(LDX_MSH, base), plain(LD_WORD_IND, at)],
        Source::WireLen => vec![plain(LD_LEN, 0)],
        Source::Relation | Source::Chain4 | Source::Chain6 | Source::Geneve4 | Source::Geneve6 | Source::LinkHeader => {
            return None;
        }
    };
    if step.mask != u32::MAX {
        code.push(plain(ALU | AND, step.mask));
    }
    let Step { low, width, yes, no, .. } = *step;
    Some(match width {
        0 => Draft { code, test: (JUMP_EQUAL, low), yes, no },
        _ if low.checked_add(width) == Some(u32::MAX) => Draft { code, test: (JUMP_AT_LEAST, low), yes, no },
        _ => {
            // Wraps, as in `Program::run`.
            code.push(plain(ALU | SUB, low));
            Draft { code, test: (JUMP_GREATER, width), yes: no, no: yes }
        }
    })
}

/// Postfix arithmetic on the machine's memory. The last instruction compares the two numbers that are left.
fn relation(arith: &[Push], step: &Step) -> Option<Draft> {
    let (compare, arith) = arith.split_last()?;
    let test = match compare {
        Push::Equal => JUMP_EQUAL | BY_X,
        Push::Greater => JUMP_GREATER | BY_X,
        _ => return None,
    };
    // The relation's answer is 1 or 0, and 1 is asked for.
    if (step.mask, step.low, step.width) != (u32::MAX, 1, 0) {
        return None;
    }
    let mut stack = Stack { code: Vec::new(), constants: Vec::new() };
    arith.iter().try_for_each(|push| stack.push(*push))?;
    stack.operands()?;
    Some(Draft { code: stack.code, test: (test, 0), yes: step.yes, no: step.no })
}

/// The stack lies in the machine's memory.
struct Stack {
    code: Vec<ClassicInstruction>,
    /// What is known of each number on it.
    constants: Vec<Option<u32>>,
}

impl Stack {
    fn push(&mut self, push: Push) -> Option<()> {
        match push {
            Push::Num(n) => {
                self.code.push(plain(LD_IMM, n));
                self.store(Some(n))
            }
            Push::Len => {
                self.code.push(plain(LD_LEN, 0));
                self.store(None)
            }
            Push::Load { base, size } => {
                let at = self.offset(base)?;
                self.code.push(plain(
                    match size {
                        1 => LD_BYTE_ABS,
                        2 => LD_HALF_ABS,
                        _ => LD_WORD_ABS,
                    },
                    at,
                ));
                self.store(None)
            }
            Push::LoadBeyond { header, base, size } => {
                let at = self.offset(base)?;
                self.code.push(plain(LDX_MSH, header));
                self.code.push(plain(
                    match size {
                        1 => LD_BYTE_IND,
                        2 => LD_HALF_IND,
                        _ => LD_WORD_IND,
                    },
                    at,
                ));
                (header <= MAX_OFFSET).then_some(())?;
                self.store(None)
            }
            Push::Neg => {
                let at = self.constants.len().checked_sub(1)?;
                self.code.push(plain(LD_MEM, at as u32));
                self.code.push(plain(ALU | NEG, 0));
                self.constants.pop();
                self.store(None)
            }
            Push::Binary(op) => self.binary(op),
            Push::Equal | Push::Greater => None,
        }
    }

    /// A read at an offset that is known: what computed the offset stays without effect.
    fn offset(&mut self, base: u32) -> Option<u32> {
        let at = base.checked_add(self.constants.pop()??)?;
        (at <= MAX_OFFSET).then_some(at)
    }

    fn binary(&mut self, op: ArithOp) -> Option<()> {
        let right = self.constants.last().copied()?;
        let code = match op {
            ArithOp::Add => 0x00,
            ArithOp::Sub => SUB,
            ArithOp::Mul => 0x20,
            // By 0, both machines don't choose the packet.
            ArithOp::Div => 0x30,
            ArithOp::Mod => 0x90,
            ArithOp::Or => 0x40,
            ArithOp::And => AND,
            ArithOp::Xor => 0xa0,
            ArithOp::Shl => (right? < 32).then_some(0x60)?,
            ArithOp::Shr => (right? < 32).then_some(0x70)?,
        };
        self.operands()?;
        self.code.push(plain(ALU | BY_X | code, 0));
        self.constants.truncate(self.constants.len() - 2);
        self.store(None)
    }

    /// The upper two numbers to A and X.
    fn operands(&mut self) -> Option<()> {
        let depth = self.constants.len();
        self.code.push(plain(LDX_MEM, depth.checked_sub(1)? as u32));
        self.code.push(plain(LD_MEM, depth.checked_sub(2)? as u32));
        Some(())
    }

    /// A to the top of the stack.
    fn store(&mut self, constant: Option<u32>) -> Option<()> {
        let at = self.constants.len();
        self.code.push(plain(ST, at as u32));
        self.constants.push(constant);
        (at < MEMORY).then_some(())
    }
}

#[cfg(test)]
mod tests;
