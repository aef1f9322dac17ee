//! What a row in JSON says under the keys of its format.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Number;

use super::json::Key;

/// What the keys are called. Those of parents and blocks may be absent.
pub(super) struct Keys {
    /// If requests belong to any.
    pub(super) chats: Option<Chats>,
    pub(super) arrival: &'static str,
    /// Of its length in tokens.
    pub(super) prompt: &'static str,
    /// Of its length in tokens.
    pub(super) output: &'static str,
    /// Of names of the blocks of the prompt.
    pub(super) blocks: &'static str,
}

/// What tells the chat that a request belongs to.
#[derive(Clone, Copy)]
pub(super) struct Chats {
    /// Of the number of the request.
    pub(super) own: &'static str,
    /// Of the number of the one that it goes on from; below 0 for none.
    pub(super) parent: &'static str,
}

/// What a row says.
pub(super) struct Row {
    pub(super) arrival: Number,
    pub(super) prompt: Number,
    pub(super) output: Number,
    pub(super) blocks: Vec<u64>,
    /// The numbers of the request and of the one that it goes on from, if there is any.
    pub(super) chat: Option<(u64, Option<u64>)>,
}

impl Keys {
    /// All of them, in the order in which they are checked.
    pub(super) fn all(&self) -> Vec<Key> {
        let chats = self.chats.map(|chats| [Key::whole(chats.own), Key::number(chats.parent).optional()]);
        let numbers = [self.arrival, self.prompt, self.output].map(Key::number);
        chats.into_iter().flatten().chain(numbers).chain([Key::names(self.blocks)]).collect()
    }
}

impl<'de> DeserializeSeed<'de> for &Keys {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, row: D) -> Result<Row, D::Error> {
        row.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Keys {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<Row, A::Error> {
        let (own, parent) = self.chats.map(|chats| (chats.own, chats.parent)).unzip();
        let (mut number, mut before) = (None, None::<Option<i64>>);
        let (mut arrival, mut prompt, mut output, mut blocks) = (None, None, None, None);
        while let Some(Name(name)) = row.next_key()? {
            match &*name {
                name if name == self.arrival => take(&mut arrival, name, &mut row)?,
                name if name == self.prompt => take(&mut prompt, name, &mut row)?,
                name if name == self.output => take(&mut output, name, &mut row)?,
                name if name == self.blocks => take(&mut blocks, name, &mut row)?,
                name if Some(name) == own => take(&mut number, name, &mut row)?,
                name if Some(name) == parent => take(&mut before, name, &mut row)?,
                _ => _ = row.next_value::<IgnoredAny>()?,
            }
        }
        let before = before.flatten().and_then(|before| u64::try_from(before).ok());
        Ok(Row {
            arrival: arrival.ok_or_else(|| A::Error::missing_field(self.arrival))?,
            prompt: prompt.ok_or_else(|| A::Error::missing_field(self.prompt))?,
            output: output.ok_or_else(|| A::Error::missing_field(self.output))?,
            blocks: blocks.unwrap_or_default(),
            chat: own
                .map(|own| Ok((number.ok_or_else(|| A::Error::missing_field(own))?, before)))
                .transpose()?,
        })
    }
}

/// A key, borrowed unless it is written with escapes.
#[derive(Deserialize)]
struct Name<'r>(#[serde(borrow)] Cow<'r, str>);

/// Reads the value of a key, which may be there once.
fn take<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    value: &mut Option<T>,
    key: &str,
    row: &mut A,
) -> Result<(), A::Error> {
    if value.is_some() {
        return Err(A::Error::custom(format_args!("duplicate field `{key}`")));
    }
    *value = Some(row.next_value()?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: Keys = Keys {
        chats: Some(Chats { own: "id", parent: "of" }),
        arrival: "at",
        prompt: "in",
        output: "out",
        blocks: "blocks",
    };

    fn row(text: &str) -> Result<Row, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        KEYS.deserialize(&mut json).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_found_by_their_keys_in_any_order_among_others() {
        let read =
            row(r#"{"x": [1], "o\u0075t": 2, "blocks": [7], "id": 5, "in": 1, "at": 0.5, "of": 3}"#).unwrap();
        assert_eq!([read.prompt, read.output], [1.into(), 2.into()]);
        assert_eq!((read.arrival.to_string().as_str(), read.blocks), ("0.5", vec![7]));
        assert_eq!(read.chat, Some((5, Some(3))));
        assert_eq!(row(r#"{"out": 2, "id": 5, "in": 1, "at": 0, "of": -1}"#).unwrap().chat, Some((5, None)));
    }

    #[test]
    fn what_is_missing_there_twice_or_no_object_is_refused() {
        for (text, problem) in [
            (r#"{"in": 1, "out": 2, "at": 0}"#, "missing field `id`"),
            (r#"{"id": 1, "in": 1, "in": 2}"#, "duplicate field `in`"),
            ("[1, 2, 3]", "invalid type: sequence, expected an object"),
        ] {
            let refused = row(text).err().unwrap();
            assert!(refused.starts_with(problem), "{refused}");
        }
    }
}
