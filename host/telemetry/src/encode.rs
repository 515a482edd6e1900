//! Spans as OTLP's JSON: `ExportTraceServiceRequest` of opentelemetry-proto 1.x, in the JSON mapping of
//! Protocol Buffers with the ids in hexadecimal, as the OTLP specification says.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value as Json, json};

/// Beginnings of the names of attributes that may leave: facts about calls, never what was said.
const PASSED: [&str; 5] = ["gen_ai.", "xpressclaw.", "error.type", "server.", "component."];
/// Names under `gen_ai.` that hold what was said: they never leave.
const CONTENT: [&str; 6] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
];
/// The convention has a list here, a field of a span cannot be one.
const LIST: &str = "gen_ai.response.finish_reasons";

pub(crate) fn encode(resource: &Resource, spans: &[SpanData]) -> Json {
    let about: Vec<_> =
        resource.iter().map(|(key, value)| pair(key.as_str(), any(value))).collect();
    let spans: Vec<_> = spans.iter().map(span).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": about},
        "scopeSpans": [{
            "scope": {"name": "xpressclaw", "version": env!("CARGO_PKG_VERSION")},
            "spans": spans,
        }],
    }]})
}

fn span(span: &SpanData) -> Json {
    let context = &span.span_context;
    let attributes: Vec<_> = span.attributes.iter().filter_map(attribute).collect();
    let mut encoded = json!({
        "traceId": context.trace_id().to_string(),
        "spanId": context.span_id().to_string(),
        "flags": context.trace_flags().to_u8(),
        "name": span.name,
        "kind": kind(&span.span_kind),
        "startTimeUnixNano": nanos(span.start_time),
        "endTimeUnixNano": nanos(span.end_time),
        "attributes": attributes,
        "status": {"code": status(&span.status)},
    });
    if span.parent_span_id != SpanId::INVALID {
        encoded["parentSpanId"] = span.parent_span_id.to_string().into();
    }
    encoded
}

fn attribute(attribute: &KeyValue) -> Option<Json> {
    let key = attribute.key.as_str();
    if CONTENT.contains(&key) || !PASSED.iter().any(|start| key.starts_with(start)) {
        return None;
    }
    let value = any(&attribute.value);
    Some(pair(key, if key == LIST { json!({"arrayValue": {"values": [value]}}) } else { value }))
}

fn pair(key: &str, value: Json) -> Json {
    json!({"key": key, "value": value})
}

/// 64-bit integers are texts in this mapping.
fn any(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::I64(number) => json!({"intValue": number.to_string()}),
        Value::F64(number) => json!({"doubleValue": number}),
        Value::String(text) => json!({"stringValue": text.as_str()}),
        Value::Array(Array::String(texts)) => {
            let values: Vec<_> =
                texts.iter().map(|text| json!({"stringValue": text.as_str()})).collect();
            json!({"arrayValue": {"values": values}})
        }
        // No span of ours has another.
        _ => json!({}),
    }
}

/// `Span.SpanKind`.
fn kind(kind: &SpanKind) -> u8 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
        SpanKind::Producer => 4,
        SpanKind::Consumer => 5,
    }
}

/// `Status.StatusCode`. Its text stays here: it may quote anybody.
fn status(status: &Status) -> u8 {
    match status {
        Status::Unset => 0,
        Status::Ok => 1,
        Status::Error { .. } => 2,
    }
}

fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}
