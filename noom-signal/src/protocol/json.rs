//! JSON that passes through unread.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A JSON value kept as the text it arrived in: a peer's `meta`, a `candidate`, a message's `data`.
///
/// The server passes such values on as they were written; numbers are not normalised and members
/// keep their order. Read one with [`Json::read`], make one with [`Json::of`]. Equality compares
/// the text. Cloning shares one allocation.
///
/// ```
/// use noom_signal::protocol::Json;
///
/// let meta = Json::of(&serde_json::json!({ "name": "Mina" }))?;
/// assert_eq!(meta.as_str(), r#"{"name":"Mina"}"#);
///
/// #[derive(serde::Deserialize)]
/// struct Meta { name: String }
/// assert_eq!(meta.read::<Meta>()?.name, "Mina");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "JsonValue", type = "JsonValue"))]
pub struct Json(Arc<RawValue>);

impl Json {
    /// The JSON text of `value`.
    ///
    /// # Errors
    ///
    /// Where `value` has no JSON form (a map whose keys are not strings, or its own error).
    pub fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(|raw| Self(raw.into()))
    }

    /// `text` as it is, once it has been seen to be one well-formed JSON value.
    ///
    /// # Errors
    ///
    /// Where `text` is not JSON.
    pub fn from_text(text: String) -> serde_json::Result<Self> {
        RawValue::from_string(text).map(|raw| Self(raw.into()))
    }

    /// The value `{}`.
    pub fn empty_object() -> Self {
        Self(RawValue::from_string("{}".into()).unwrap_or_default().into())
    }

    /// Reads the value as a `T`.
    ///
    /// # Errors
    ///
    /// Where the value is not a `T`. What a peer sends is its own affair: expect anything.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.as_str())
    }

    /// The value's text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Whether the value is `null`.
    pub fn is_null(&self) -> bool {
        self.as_str() == "null"
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned().into())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Json {}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_kept_as_written() -> serde_json::Result<()> {
        let text = r#"{ "b": 1e999, "a": 1.0, "a": [ ] }"#;
        let json = Json::from_text(text.into())?;
        assert_eq!(json.as_str(), text);
        assert_eq!(serde_json::to_string(&json)?, text);
        assert_eq!(Json::empty_object().as_str(), "{}");
        assert!(Json::from_text("{} {}".into()).is_err());
        Ok(())
    }
}
