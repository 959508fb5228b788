use super::*;

fn record(execution: &str, sequence: u64) -> Record {
    Record {
        execution: ExecutionId::new(execution),
        sequence,
        event: "task_started",
        is_last: false,
        body: vec![sequence as u8],
    }
}

async fn append(store: &Store, records: Vec<Record>) -> Appended {
    store.append(records, 1_000).await.expect("the store works")
}

async fn sequences(store: &Store, execution: &str, from: u64) -> Vec<u64> {
    let wanted = Wanted::Execution { execution: ExecutionId::new(execution), from };
    store.read(wanted).await.expect("the store works").events.iter().map(|event| event.sequence).collect()
}

fn acknowledged(appended: &Appended) -> Vec<(&str, u64)> {
    let mut acknowledged: Vec<_> =
        appended.acknowledged.iter().map(|(execution, sequence)| (execution.as_str(), *sequence)).collect();
    acknowledged.sort_unstable();
    acknowledged
}

#[tokio::test]
async fn each_event_is_stored_once_and_acknowledged_each_time() {
    let store = Store::in_memory().expect("memory");

    let first = append(&store, vec![record("a", 1), record("b", 1), record("a", 2)]).await;
    let again = append(&store, vec![record("a", 1), record("a", 2), record("a", 3)]).await;

    assert_eq!(acknowledged(&first), [("a", 2), ("b", 1)]);
    assert_eq!(acknowledged(&again), [("a", 3)]);
    assert_eq!(sequences(&store, "a", 0).await, [1, 2, 3]);
    assert_eq!(sequences(&store, "a", 3).await, [3]);
}

#[tokio::test]
async fn other_content_under_the_same_number_is_a_contradiction_and_what_stands_before_it_is_stored() {
    let store = Store::in_memory().expect("memory");
    append(&store, vec![record("a", 1), record("a", 2)]).await;

    let other = Record { body: vec![99], ..record("a", 2) };
    let appended = append(&store, vec![record("b", 1), other, record("b", 2)]).await;

    assert_eq!(acknowledged(&appended), [("b", 1)]);
    let contradiction = appended.contradiction.expect("it contradicts");
    assert_eq!((contradiction.execution.as_str(), contradiction.sequence), ("a", 2));
}

#[tokio::test]
async fn nothing_comes_after_the_last_event() {
    let store = Store::in_memory().expect("memory");
    append(&store, vec![record("a", 1), Record { is_last: true, ..record("a", 2) }]).await;

    let appended = append(&store, vec![record("a", 3)]).await;

    assert!(appended.contradiction.is_some_and(|contradiction| contradiction.sequence == 3));
}

#[tokio::test]
async fn a_hole_can_be_filled_later() {
    let store = Store::in_memory().expect("memory");

    let beyond = append(&store, vec![record("a", 1), record("a", 5)]).await;
    let filled = append(&store, vec![record("a", 3)]).await;

    assert_eq!((acknowledged(&beyond), acknowledged(&filled)), (vec![("a", 5)], vec![("a", 3)]));
    assert_eq!(sequences(&store, "a", 0).await, [1, 3, 5]);
}

#[tokio::test]
async fn one_execution_more_than_the_limit_is_refused_and_known_ones_are_not() {
    let store = Store::in_memory().expect("memory");
    store.append(vec![record("a", 1), record("b", 1)], 2).await.expect("two are allowed");

    let third = store.append(vec![record("c", 1)], 2).await;
    let known = store.append(vec![record("a", 2)], 2).await;

    assert!(matches!(third, Err(AccessError::TooManyExecutions(2))), "{third:?}");
    assert!(known.is_ok(), "{known:?}");
}

#[tokio::test]
async fn a_file_keeps_its_events_and_its_identity_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("progress.db");
    let store = Store::open(&path).expect("a new file");
    let id = store.id().to_owned();
    append(&store, vec![record("a", 1)]).await;
    store.close().await;

    let store = Store::open(&path).expect("the same file");

    assert_eq!(store.id(), id);
    assert_eq!(sequences(&store, "a", 0).await, [1]);
    assert_eq!(acknowledged(&append(&store, vec![record("a", 2)]).await), [("a", 2)]);
}

#[tokio::test]
async fn a_closed_store_says_so_and_has_written_everything() {
    let store = Store::in_memory().expect("memory");
    let handle = store.clone();

    store.close().await;

    assert!(matches!(handle.append(vec![record("a", 1)], 1).await, Err(AccessError::Closed)));
}

#[test]
fn a_file_of_a_newer_hotcell_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("progress.db");
    drop(Store::open(&path).expect("a new file"));
    let connection = Connection::open(&path).expect("the file");
    connection.pragma_update(None, "user_version", 99).expect("a pragma");

    let error = Store::open(&path).expect_err("it is newer");

    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("other.db");
    Connection::open(&path).expect("a file").execute_batch("CREATE TABLE t (x)").expect("a table");

    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("text.txt");
    std::fs::write(&path, "not a database, but long enough to look at: ".repeat(100)).expect("a file");

    assert!(matches!(Store::open(&path), Err(StoreError::Foreign { .. })));
    assert!(matches!(Store::open(folder.path().join("no/such/folder")), Err(StoreError::Sqlite { .. })));
}
