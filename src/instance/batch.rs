//! The tasks that run together.
//!
//! An iteration brings every member one output token nearer its end. The members do not count that: the
//! batch counts its iterations, and each member knows at which count it is done. So a run in which nobody
//! finishes costs the same for a batch of one and of five hundred.
//!
//! A prompt is a member with one iteration to go.

use super::resident::Key;

/// Running tasks in the order they joined.
///
/// Invariant: `next_done` is the least `done_at` of the members; above `iterations` once all that are done
/// are taken.
#[derive(Debug)]
pub struct Batch {
    members: Vec<Member>,
    /// Iterations that ever ended here.
    iterations: u64,
    next_done: u64,
    prompts: u32,
    prompt_tokens: u64,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    /// The count of iterations at which its task is done.
    done_at: u64,
    key: Key,
}

const NEVER: u64 = u64::MAX;

impl Default for Batch {
    fn default() -> Self {
        Batch { members: Vec::new(), iterations: 0, next_done: NEVER, prompts: 0, prompt_tokens: 0 }
    }
}

impl Batch {
    /// How many tasks run.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nothing runs.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Prompt tasks among them.
    pub fn prompts(&self) -> u32 {
        self.prompts
    }

    /// Σ tokens of those prompts.
    pub fn prompt_tokens(&self) -> u64 {
        self.prompt_tokens
    }

    /// Token tasks among them.
    pub fn decodes(&self) -> u32 {
        self.members.len() as u32 - self.prompts
    }

    /// Iterations until the first member is done; none without members.
    pub fn iterations_left(&self) -> Option<u64> {
        (!self.is_empty()).then(|| self.next_done - self.iterations)
    }

    /// A prompt of this length joins.
    pub fn join_prompt(&mut self, key: Key, tokens: u32) {
        self.prompts += 1;
        self.prompt_tokens += u64::from(tokens);
        self.join(key, 1);
    }

    /// A decode joins that has so many output tokens to go, at least one.
    pub fn join_decode(&mut self, key: Key, remaining: u64) {
        self.join(key, remaining);
    }

    fn join(&mut self, key: Key, iterations: u64) {
        debug_assert!(iterations > 0, "a task that is done cannot run");
        let done_at = self.iterations + iterations;
        self.next_done = self.next_done.min(done_at);
        self.members.push(Member { done_at, key });
    }

    /// Iterations have passed, no more than [`Self::iterations_left`]; then [`Self::take_done`] has those who
    /// are done.
    pub fn pass(&mut self, iterations: u64) {
        self.iterations += iterations;
        debug_assert!(self.iterations <= self.next_done, "somebody was done before");
    }

    /// Who is done leaves, one after the other in the order in which they joined.
    pub fn take_done(&mut self) -> Option<Key> {
        if self.iterations < self.next_done {
            return None;
        }
        // Prompts had one iteration to go.
        (self.prompts, self.prompt_tokens) = (0, 0);
        let done = self.members.iter().position(|member| member.done_at == self.iterations)?;
        let Member { key, .. } = self.members.remove(done);
        self.find_next_done();
        Some(key)
    }

    /// The nth member, with the output tokens it still has to go.
    pub fn get(&self, position: usize) -> Option<(Key, u64)> {
        self.members.get(position).map(|member| (member.key, member.done_at - self.iterations))
    }

    /// All but the first members leave. No prompt may be among them: it runs to its end.
    pub fn truncate(&mut self, members: usize) {
        if members < self.members.len() {
            self.members.truncate(members);
            self.find_next_done();
        }
    }

    fn find_next_done(&mut self) {
        self.next_done = self.members.iter().map(|member| member.done_at).min().unwrap_or(NEVER);
    }

    /// Everybody leaves, whatever is left of their tasks.
    pub fn clear(&mut self) {
        *self = Batch { iterations: self.iterations, ..Batch::default() };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pass(batch: &mut Batch, iterations: u64) -> Vec<Key> {
        batch.pass(iterations);
        std::iter::from_fn(|| batch.take_done()).collect()
    }

    #[test]
    fn a_prompt_leaves_after_one_iteration_and_decodes_after_their_tokens() {
        let mut batch = Batch::default();
        batch.join_decode(0, 3);
        batch.join_prompt(1, 500);
        assert_eq!((batch.prompts(), batch.prompt_tokens(), batch.decodes()), (1, 500, 1));
        assert_eq!(batch.iterations_left(), Some(1));
        assert_eq!(pass(&mut batch, 1), [1]);
        assert_eq!((batch.prompts(), batch.prompt_tokens(), batch.decodes()), (0, 0, 1));
        assert_eq!(batch.iterations_left(), Some(2));
        assert_eq!(pass(&mut batch, 2), [0]);
        assert_eq!(batch.iterations_left(), None);
    }

    /// What happens to a batch and to a list that counts down.
    #[derive(Clone, Debug)]
    enum Event {
        Join(u64),
        Pass(u64),
        Leave(usize),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (1u64..20).prop_map(Event::Join),
            (1u64..20).prop_map(Event::Pass),
            (0usize..9).prop_map(Event::Leave),
        ]
    }

    proptest! {
        #[test]
        fn a_batch_behaves_like_a_list_in_which_everybody_counts_down(
            events in proptest::collection::vec(event(), 1..120),
        ) {
            let (mut batch, mut list) = (Batch::default(), Vec::<(Key, u64)>::new());
            for (key, event) in events.into_iter().enumerate() {
                match event {
                    Event::Join(remaining) => {
                        batch.join_decode(key as Key, remaining);
                        list.push((key as Key, remaining));
                    }
                    Event::Pass(at_most) => {
                        let Some(shortest) = list.iter().map(|(_, remaining)| *remaining).min() else { continue };
                        let iterations = at_most.min(shortest);
                        list.iter_mut().for_each(|(_, remaining)| *remaining -= iterations);
                        let done: Vec<_> = list.extract_if(.., |(_, left)| *left == 0).map(|(key, _)| key).collect();
                        prop_assert_eq!(pass(&mut batch, iterations), done);
                    }
                    Event::Leave(kept) => {
                        let left: Vec<_> = (kept..).map_while(|nth| batch.get(nth)).collect();
                        batch.truncate(kept);
                        prop_assert_eq!(left, list.split_off(kept.min(list.len())));
                    }
                }
                prop_assert_eq!(batch.len(), list.len());
                prop_assert_eq!(batch.iterations_left(), list.iter().map(|(_, remaining)| *remaining).min());
            }
        }
    }
}
