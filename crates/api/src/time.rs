//! Times as clients give and get them.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use chrono::{DateTime, SecondsFormat, Utc};

/// A time on the wire: RFC 3339 in UTC, with as many digits of a second as it has, which is how
/// PostgreSQL writes one into JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(DateTime<Utc>);

/// How a time is written.
const HOW: &str = "Write one like 2026-11-21T19:30:00Z, in the years 1 to 9999";

impl From<Time> for DateTime<Utc> {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl InputType for Time {
    type RawValueType = DateTime<Utc>;

    fn type_name() -> Cow<'static, str> {
        <DateTime<Utc> as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <DateTime<Utc> as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let given = value.clone().unwrap_or_default();
        <DateTime<Utc> as InputType>::parse(value)
            .map(|time| Self(without_leap_second(time)))
            // The library tells of characters and lengths; the value tells which field it is.
            .map_err(|_| InputValueError::custom(format!("{given} is not a time. {HOW}")))
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_text())
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(&self.0)
    }
}

impl Time {
    fn to_text(self) -> String {
        let text = self.0.to_rfc3339_opts(SecondsFormat::Micros, false);
        let (seconds, rest) = text.split_once('.').unwrap_or((&text, ""));
        let (fraction, zone) = rest.split_at_checked(6).unwrap_or(("", "+00:00"));
        match fraction.trim_end_matches('0') {
            "" => format!("{seconds}{zone}"),
            fraction => format!("{seconds}.{fraction}{zone}"),
        }
    }
}

impl From<DateTime<Utc>> for Time {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time)
    }
}

impl OutputType for Time {
    fn type_name() -> Cow<'static, str> {
        <DateTime<Utc> as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <DateTime<Utc> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::String(self.to_text()))
    }
}

/// A leap second is the full second after it. Chrono keeps one as a second of more than 10^9
/// nanoseconds; no database has any, so what is kept would differ from what was compared.
fn without_leap_second(time: DateTime<Utc>) -> DateTime<Utc> {
    if time.timestamp_subsec_nanos() < 1_000_000_000 {
        return time;
    }
    DateTime::from_timestamp(time.timestamp() + 1, 0).unwrap_or(time)
}
