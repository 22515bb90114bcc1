//! How is it doing? Counters for Prometheus: numbers and rates only, no names of people or flights.

use std::sync::atomic::Ordering;
use std::time::Duration;

use khop::{EngineStatus, Scrub};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::once::now_unix_s;

/// Upper bounds of the latency buckets, seconds.
const BUCKETS_S: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

/// The service's registry.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    latency: Family<RouteLabel, Histogram>,
    refused: Family<ReasonLabel, Counter>,
    searches: Counter,
    searched: Counter,
    compared: Counter,
    queue_depth: Gauge,
    realms: Gauge,
    references: Gauge,
    resident: Gauge,
    scrub_age: Gauge,
    scrub_damaged: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut m = Self {
            registry: Registry::with_prefix("khop"),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(BUCKETS_S)),
            refused: Family::default(),
            searches: Counter::default(),
            searched: Counter::default(),
            compared: Counter::default(),
            queue_depth: Gauge::default(),
            realms: Gauge::default(),
            references: Gauge::default(),
            resident: Gauge::default(),
            scrub_age: Gauge::default(),
            scrub_damaged: Gauge::default(),
        };
        let registry = &mut m.registry;
        registry.register("http_requests", "Requests by route and status", m.requests.clone());
        let latency = m.latency.clone();
        registry.register_with_unit("http_request_duration", "Time to answer by route", Unit::Seconds, latency);
        registry.register("refused", "Requests refused by reason", m.refused.clone());
        registry.register("searches", "Searches completed", m.searches.clone());
        registry.register("searched_references", "References seen by completed searches", m.searched.clone());
        registry.register("comparisons", "Full comparisons made by completed searches", m.compared.clone());
        registry.register("queue_depth", "Jobs waiting or running", m.queue_depth.clone());
        registry.register("realms", "Realms that can be reached", m.realms.clone());
        registry.register("references", "Encounters enrolled, all realms", m.references.clone());
        registry.register_with_unit("resident_memory", "Resident memory", Unit::Bytes, m.resident.clone());
        let age = "Time since everything that is kept was read and looked at; -1 before the first time";
        registry.register_with_unit("scrub_age", age, Unit::Seconds, m.scrub_age.clone());
        let damaged = "Entries and segments that were not what was written then; -1 before the first time";
        registry.register("scrub_damaged", damaged, m.scrub_damaged.clone());
        m
    }

    /// One answered request.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = RequestLabels { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        let route = RouteLabel { route: route.to_owned() };
        self.latency.get_or_create(&route).observe(took.as_secs_f64());
    }

    /// One request turned away.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// All of it in the OpenMetrics text format.
    pub(crate) fn text(&self, engine: &EngineStatus, queue_depth: usize) -> String {
        let gauge = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        gauge(&self.queue_depth, queue_depth as u64);
        gauge(&self.realms, engine.realms.len() as u64);
        gauge(&self.references, engine.realms.iter().map(|realm| realm.encounters).sum());
        let scrub = engine.scrub.map_or((-1, -1), |Scrub { ended_unix_s, damaged }| {
            (now_unix_s().saturating_sub(ended_unix_s) as i64, damaged as i64)
        });
        self.scrub_age.set(scrub.0);
        self.scrub_damaged.set(scrub.1);
        gauge(&self.resident, resident_bytes().unwrap_or(0));
        self.searches.inner().store(engine.searches, Ordering::Relaxed);
        self.searched.inner().store(engine.references_searched, Ordering::Relaxed);
        self.compared.inner().store(engine.full_comparisons, Ordering::Relaxed);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing into a string does not fail");
        text
    }
}

/// Resident memory of this process, where the system tells it (Linux).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
