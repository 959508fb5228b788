//! What a script does not find: files, the network, other programs, the environment of the host.

use serde_json::json;

use crate::bench::bench;

#[test]
fn javascript_finds_no_files_no_network_and_no_other_programs() {
    let code = "
        const tried = [];
        for (const path of ['/etc/passwd', '/proc/self/environ', '.', '../../Cargo.toml']) {
            try { require('fs').readFileSync(path); tried.push(path) } catch {}
        }
        for (const name of ['fs', 'net', 'http', 'child_process', 'os', 'worker_threads', 'vm']) {
            try { require(name); if (name !== 'fs') tried.push(name) } catch {}
            try { await import(`node:${name}`); if (name !== 'fs') tried.push(name) } catch {}
        }
        for (const name of ['fetch', 'WebSocket', 'XMLHttpRequest', 'std', 'os', 'Worker']) if (name in globalThis) tried.push(name);
        console.log(JSON.stringify([tried, process.env]))";
    assert_eq!(bench().script("js", code, json!({})).output(), json!("[[],{}]"));
}

#[test]
fn python_finds_no_files_no_network_and_no_other_programs() {
    let code = "
import os, json
found = []
def attempt(name, what):
    try:
        what()
        found.append(name)
    except (Exception, SystemExit):
        pass
for path in ['/etc/passwd', '/proc/self/environ', '.', '../../Cargo.toml', '/']:
    attempt(path, lambda: open(path).read())
    attempt('list ' + path, lambda: os.listdir(path))
attempt('write', lambda: open('/file', 'w').write('x'))
attempt('connect', lambda: __import__('socket').create_connection(('127.0.0.1', 22), 1))
attempt('resolve', lambda: __import__('socket').gethostbyname('localhost'))
attempt('fetch', lambda: __import__('urllib.request').request.urlopen('http://127.0.0.1/'))
attempt('run', lambda: __import__('subprocess').run(['true']))
attempt('system', lambda: os.system('true'))
attempt('fork', lambda: os.fork())
print(json.dumps([found, dict(os.environ)]))";
    assert_eq!(bench().script("python", code, json!({})).output(), json!("[[], {}]"));
}

#[test]
fn time_and_chance_are_real() {
    for (language, code) in [
        ("js", "console.log(Math.random() + ' ' + Date.now())"),
        ("python", "import random, time, uuid\nprint(random.random(), int(time.time() * 1000), uuid.uuid4())"),
    ] {
        let [one, other] = [(); 2].map(|()| bench().script(language, code, json!({})).output());
        let (one, other) = (one.as_str().unwrap(), other.as_str().unwrap());
        assert_ne!(one.split(' ').next(), other.split(' ').next(), "{language}");
        let milliseconds: u64 = one.split(' ').nth(1).unwrap().parse().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
        assert!(now - milliseconds < 600_000, "{language}: {milliseconds}");
    }
}

#[test]
fn python_is_3_13_or_later_with_what_scripts_use_of_its_library() {
    let code = "
import sys, json, re, math, datetime, decimal, csv, io, hashlib, base64, itertools, functools, collections, statistics
import textwrap, uuid, dataclasses, enum, typing, urllib.parse, zlib, xml.etree.ElementTree, string, copy, time, argparse
print(sys.version_info >= (3, 13), json.loads('{\"a\": 1}')['a'], datetime.date(2026, 11, 24).isoformat())";
    assert_eq!(bench().script("python", code, json!({})).output(), json!("True 1 2026-11-24"));
}
