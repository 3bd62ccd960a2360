"""The daemon that tend replaces, in small: a scheduler whose every run leaves a connection pool behind.

Each line on standard input runs the job once, in a thread of APScheduler (or one of its own, with "threads" as second
argument); a line is answered when the job has run. Ends with its input.
"""

import sys
import threading

from sqlalchemy import create_engine, text

left_behind = []
done = threading.Event()


def look_for_due_rows(url):
    engine = create_engine(url)  # an engine a run, with a pool of its own, and nobody to dispose of it
    with engine.connect() as connection:
        connection.execute(text("select 1")).all()
    left_behind.append(engine)
    done.set()


def in_a_thread(url):
    threading.Thread(target=look_for_due_rows, args=[url]).start()


def main(url, way):
    start = in_a_thread
    if way == "apscheduler":
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(timezone="UTC")
        scheduler.start()
        start = lambda url: scheduler.add_job(look_for_due_rows, args=[url])
    for _ in sys.stdin:
        done.clear()
        start(url)
        done.wait()
        print("done", flush=True)


main(*sys.argv[1:])
