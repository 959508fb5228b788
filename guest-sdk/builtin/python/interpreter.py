"""Runs Python in a cell: CPython, and around it what a script expects to find.

`scripts/runtimes python` makes a component of this. What is imported here is part of its memory when a cell begins, so that it
costs a script nothing; what is not imported here does not exist in a cell.
"""

import ast, atexit, base64, binascii, bisect, builtins, calendar, cmath, codecs, collections, collections.abc, colorsys
import configparser, contextlib, contextvars, copy, csv, dataclasses, datetime, decimal, difflib, enum, errno, fractions
import functools, gc, getopt, glob, graphlib, gzip, hashlib, heapq, hmac, html, html.entities, html.parser, inspect, io
import ipaddress, itertools, json, keyword, linecache, locale, math, numbers, operator, optparse, os, os.path, pathlib, pickle
import platform, posixpath, pprint, queue, random, re, reprlib, sched, secrets, shlex, shutil, signal, statistics, string, struct
import sys, tempfile, textwrap, time, timeit, token, tokenize, tomllib, traceback, types, typing, unicodedata, urllib.parse, uuid
import warnings, weakref, xml.etree.ElementTree, zlib, zoneinfo
import argparse, fnmatch, logging, stat, threading, unittest, encodings.idna, encodings.latin_1, encodings.utf_16, encodings.ascii

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import Problem

RUNTIME = "https://open-workflow-specification.org/spec/1.0.0/errors/runtime"
DEFAULT_LIMIT = 8 << 20

# Cells have a memory of their own: collecting rarely is cheaper than collecting often.
gc.freeze()


class _TooMuch(BaseException):
    """The script writes more than it may."""


class _Exited(BaseException):
    """The script ends its process at once."""

    def __init__(self, code):
        self.code = code


def _exit(code):
    # The cell would end without an answer, as if the interpreter had failed.
    raise _Exited(int(code))


os._exit = _exit


class _Written:
    """What the script has written so far, up to a limit."""

    def __init__(self, limit):
        self.limit = limit
        self.left = limit
        self.exceeded = False

    def take(self, length):
        if self.exceeded or length > self.left:
            self.exceeded = True
            raise _TooMuch
        self.left -= length


class _Output(io.RawIOBase):
    """A stream that is collected, and passed on to that of the cell at once, so that it is seen live."""

    def __init__(self, fd, written):
        self.fd = fd
        self.written = written
        self.pieces = []

    def writable(self):
        return True

    def fileno(self):
        return self.fd

    def write(self, data):
        data = bytes(data)
        self.written.take(len(data))
        self.pieces.append(data)
        rest = data
        while rest:
            rest = rest[os.write(self.fd, rest) :]
        return len(data)

    def text(self):
        return b"".join(self.pieces).decode("utf-8", "replace")


def _stream(raw, buffered):
    buffer = io.BufferedWriter(raw) if buffered else io.BufferedWriter(raw, 1)
    return io.TextIOWrapper(buffer, "utf-8", "backslashreplace", line_buffering=True)


def _report(error, name):
    """Tells of an error that nobody caught, without the frames of this file."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)


def _perform(script, name):
    """The exit code."""
    module = types.ModuleType("__main__")
    module.__file__ = name
    module.__builtins__ = builtins
    arguments = script.get("arguments") or []
    module.arguments = arguments
    if isinstance(arguments, dict):
        # As the specification's earlier versions and its reference implementation have it: named arguments are variables, too.
        vars(module).update(arguments)
    sys.modules["__main__"] = module
    code = script["code"]
    # For the lines in tracebacks.
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    try:
        try:
            exec(compile(code, name, "exec", dont_inherit=True), vars(module))
        except _Exited:
            atexit._clear()
            raise
        finally:
            atexit._run_exitfuncs()
    except _Exited as exit:
        return exit.code & 255
    except SystemExit as exit:
        if exit.code is None:
            return 0
        if isinstance(exit.code, int):
            return exit.code & 255
        print(exit.code, file=sys.stderr)
        return 1
    except _TooMuch:
        raise
    except MemoryError:
        raise
    except BaseException as error:
        _report(error, name)
        return 1
    return 0


def _options(arguments):
    """Named arguments as options are written for a program: `--name value`, or the name alone for `True`."""
    for name, value in arguments.items():
        written = name if name.startswith("-") else f"--{name}"
        if value is None or value is False:
            continue
        yield written
        if value is not True:
            yield value if isinstance(value, str) else json.dumps(value)


def _problem(title, detail):
    return Err(Problem(kind=RUNTIME, status=500, title=title, detail=detail, extensions=None))


class Handler(exports.Handler):
    """The task of the component."""

    def run(self, input: str) -> str:
        script = json.loads(input)
        name = script.get("name") or "script.py"
        limit = script.get("limit") or DEFAULT_LIMIT
        arguments = script.get("arguments") or []
        sys.argv = [name, *(arguments if isinstance(arguments, list) else _options(arguments))]
        os.environ.clear()
        os.environ.update(script.get("environment") or {})
        # Without this every cell would draw the numbers that were seeded when the component was built.
        random.seed()
        written = _Written(limit)
        stdout, stderr = _Output(1, written), _Output(2, written)
        sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO((script.get("stdin") or "").encode()), "utf-8")
        sys.stdout = sys.__stdout__ = _stream(stdout, True)
        sys.stderr = sys.__stderr__ = _stream(stderr, False)
        try:
            code = _perform(script, name)
            for stream in (sys.stdout, sys.stderr):
                if not stream.closed:
                    stream.flush()
        except MemoryError:
            raise _problem("Memory limit", "the script ran out of memory") from None
        except _TooMuch:
            pass
        if written.exceeded:
            raise _problem("Payload limit", f"the script wrote more than {limit} bytes to stdout and stderr together")
        return json.dumps({"code": code, "stdout": stdout.text(), "stderr": stderr.text()}, ensure_ascii=False)
