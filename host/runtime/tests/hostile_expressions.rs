//! What expressions that would take a host down do to executions beside them. Alone in its process, whose memory it
//! measures.
#![cfg(target_os = "linux")]

mod house;

use std::time::{Duration, Instant};

use hotcell_machine::Outcome;
use hotcell_runtime::End;
use house::House;
use serde_json::json;

/// Each of these takes a host down that evaluates it without a cell, or for ever.
const PROGRAMS: [&str; 3] = ["def f: [f]; f", "[range(1e9)]", "[repeat(1)]"];

/// What the workflow may take until it has faulted: time of the processor, as this may be a busy machine. The bound of an
/// expression is counted in the same way.
const FAULTED_WITHIN: Duration = Duration::from_secs(2);
/// By how much the memory of the process may grow meanwhile, in bytes: 100 MiB.
const GROWS_BY: u64 = 100 << 20;
/// What a small workflow may take that runs beside the hostile one, unless the machine is so busy that the hostile one takes
/// many times that. It needs about a millisecond when it is alone; were it to wait for the other's expression, it would take
/// a second.
const UNDELAYED: Duration = Duration::from_millis(400);
/// How many small ones run beside it at the most.
const BESIDE: usize = 20;

#[test]
fn a_hostile_expression_faults_its_workflow_in_time_and_memory_and_delays_no_other() {
    let house = House::new();
    let small = house.workflow("do: [{ a: { for: { in: '[range(10)]' }, do: [{ b: { set: '${ 1 + 1 }' } }] } }]");
    // What is compiled once for all is compiled before.
    assert_eq!(house.run(&small), completed(json!(2)));

    for program in PROGRAMS {
        let places = [
            ("if", format!("{{ t: {{ if: '{program}', set: {{ n: 1 }} }} }}")),
            ("set", format!("{{ t: {{ set: '${{ {program} }}' }} }}")),
            (
                "while",
                format!(
                    "{{ t: {{ for: {{ in: '[1]' }}, while: '{program}', do: [{{ a: {{ set: {{ n: 1 }} }} }}] }} }}"
                ),
            ),
            // A program that was quick is trusted to be so again.
            (
                "a set after quick ones",
                format!(
                    "{{ t: {{ for: {{ in: '[range(99)]', at: n }}, do: [{{ a: {{ set: '${{ if $n < 30 then $n else ({program}) end }}' }} }}] }} }}"
                ),
            ),
        ];
        for (place, task) in places {
            let hostile = house.workflow(&format!("do: [{task}]"));
            let (before, cpu) = (memory::reset_peak(), cpu_time());
            let ((end, took), beside) = std::thread::scope(|scope| {
                let faulting = scope.spawn(|| {
                    let began = Instant::now();
                    (house.run(&hostile), began.elapsed())
                });
                let mut beside = Vec::new();
                while !faulting.is_finished() && beside.len() < BESIDE {
                    let began = Instant::now();
                    assert_eq!(house.run(&small), completed(json!(2)));
                    beside.push(began.elapsed());
                }
                (faulting.join().expect("no panic"), beside)
            });
            let (grown, cpu) = (memory::peak().saturating_sub(before), cpu_time() - cpu);

            let delay = beside.iter().max().copied().unwrap_or_default();
            println!(
                "{program} in {place}: faulted after {took:?} ({cpu:?} of the processor), {} MiB at most; {} beside it took \
                 {delay:?} at most",
                grown >> 20,
                beside.len()
            );
            let End::Ran(Outcome::Faulted(problem)) = &end else { panic!("{program} in {place}: {end:?}") };
            assert!(problem.kind.ends_with("/errors/expression"), "{program} in {place}: {problem}");
            assert!(problem.instance.as_deref().is_some_and(|at| at.starts_with("/do/0/t")), "{program} in {place}");
            assert!(cpu < FAULTED_WITHIN, "{program} in {place} took {cpu:?}");
            assert!(grown < GROWS_BY, "{program} in {place} took {} MiB", grown >> 20);
            assert!(delay < UNDELAYED.max(took / 3), "beside {program} in {place} a small workflow took {delay:?}");
        }
    }
}

fn completed(output: serde_json::Value) -> End {
    End::Ran(Outcome::Completed(hotcell_expression::Data::new(output).expect("small data")))
}

/// What the processor has spent on this process.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// The memory of this process, in bytes, as Linux counts it.
mod memory {
    /// Forgets the highest value so far. Returns the present one.
    pub(crate) fn reset_peak() -> u64 {
        std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
        status("VmRSS:")
    }

    /// The highest value since.
    pub(crate) fn peak() -> u64 {
        status("VmHWM:")
    }

    fn status(field: &str) -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
        let kib = status.lines().find_map(|line| line.strip_prefix(field)).expect("Linux tells it");
        kib.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }
}
