//! Tenants that share no worker.

use std::collections::HashSet;
use std::sync::Arc;

use hotcell_sandbox::{CallLimits, Cells, Isolation, Workers, WorkersOptions};
use serde_json::json;

use crate::guest::echo;
use crate::host::{Recorder, call, options, prepare, start};

async fn isolated(workers: usize) -> Workers {
    start(WorkersOptions { isolation: Isolation::PerTenant, ..options(workers) }).await
}

async fn works(workers: &Workers, tenant: &str) {
    let workers = workers.for_tenant(tenant);
    let echo = prepare(&workers, &echo()).await.unwrap();
    let end = Cells::call(&workers, call(echo, "1", CallLimits::default()), Arc::new(Recorder::default())).await;
    assert_eq!(end.result, Ok(json!(1)));
}

#[tokio::test]
async fn a_tenants_calls_stay_in_its_worker() {
    let workers = isolated(2).await;
    let before = workers.processes();
    for _ in 0..3 {
        works(&workers, "a").await;
        works(&workers, "b").await;
    }
    assert_eq!(workers.processes(), before, "two tenants have a worker each");
}

#[tokio::test]
async fn a_worker_that_has_served_one_tenant_is_replaced_before_it_serves_another() {
    let workers = isolated(1).await;
    let mut seen = HashSet::new();
    for tenant in ["a", "b", "a", "c"] {
        works(&workers, tenant).await;
        assert!(seen.insert(workers.processes()), "tenant {tenant} got a worker that another has used");
    }
}

#[tokio::test]
async fn more_tenants_than_workers_are_all_served() {
    let workers = isolated(2).await;
    let tenants: Vec<String> = (0..6).map(|number| format!("tenant {number}")).collect();
    futures::future::join_all(tenants.iter().map(|tenant| works(&workers, tenant))).await;
}
