//! Which worker gets a call.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::worker::Worker;

/// Who calls and components belong to. None: nobody in particular, which is one tenant more.
pub(super) type Tenant = Option<Arc<str>>;

/// Whether tenants share worker processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Any worker runs calls of any tenant. Each call has a cell of its own all the same.
    #[default]
    Shared,
    /// A worker that has run a call of one tenant never runs one of another: it is replaced before. For tenants who must not
    /// even share the caches of a process. With more tenants than workers, starting processes takes time of its own.
    PerTenant,
}

/// The workers that there are, and who waits for one.
pub(super) struct Pool {
    isolation: Isolation,
    /// How many calls a worker gets at the same time.
    cells: u32,
    /// As many as there are places in all workers, so that who waits is served in order.
    admission: Arc<Semaphore>,
    slots: Mutex<Slots>,
    /// A worker came, or a place became free.
    changed: Notify,
}

struct Slots {
    slots: Vec<Slot>,
    /// Why there are no workers, if they cannot be started.
    broken: Option<String>,
}

/// Room for a worker. While one is replaced, it is empty.
#[derive(Default)]
struct Slot {
    worker: Option<Arc<Worker>>,
    /// Whose it is, once it has run something. Only with [`Isolation::PerTenant`].
    owner: Option<Tenant>,
    /// It gets no more calls, and is replaced when it has none.
    leaving: bool,
}

/// A place in a worker. When it is dropped, the place is free.
pub(super) struct Seat {
    worker: Arc<Worker>,
    pool: Arc<Pool>,
    _admission: OwnedSemaphorePermit,
}

impl Seat {
    pub(super) fn worker(&self) -> &Arc<Worker> {
        &self.worker
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.worker.seats.fetch_sub(1, Relaxed);
        if self.pool.isolation == Isolation::PerTenant {
            self.pool.changed.notify_waiters();
        }
    }
}

impl Pool {
    pub(super) fn new(workers: usize, cells: u32, isolation: Isolation) -> Arc<Self> {
        let slots = Slots { slots: (0..workers).map(|_| Slot::default()).collect(), broken: None };
        Arc::new(Pool {
            isolation,
            cells,
            admission: Arc::new(Semaphore::new(workers.saturating_mul(cells as usize))),
            slots: Mutex::new(slots),
            changed: Notify::new(),
        })
    }

    /// Waits for a place for a call of this tenant. An error, if there will be none.
    pub(super) async fn seat(self: &Arc<Self>, tenant: &Tenant) -> Result<Seat, String> {
        let admission = Arc::clone(&self.admission).acquire_owned().await.expect("the semaphore is never closed");
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut slots = self.slots();
                if let Some(worker) = slots.take(tenant, self.isolation, self.cells) {
                    return Ok(Seat { worker, pool: Arc::clone(self), _admission: admission });
                }
                if let Some(reason) = &slots.broken {
                    return Err(reason.clone());
                }
            }
            changed.await;
        }
    }

    /// A worker is there.
    pub(super) fn install(&self, slot: usize, worker: Arc<Worker>) {
        let mut slots = self.slots();
        slots.slots[slot] = Slot { worker: Some(worker), owner: None, leaving: false };
        slots.broken = None;
        drop(slots);
        self.changed.notify_waiters();
    }

    /// A worker is gone.
    pub(super) fn remove(&self, slot: usize) {
        self.slots().slots[slot] = Slot::default();
    }

    /// Workers cannot be started: whoever waits need not wait any more.
    pub(super) fn is_broken(&self, reason: String) {
        let mut slots = self.slots();
        if slots.slots.iter().all(|slot| slot.worker.is_none()) {
            slots.broken = Some(reason);
        }
        drop(slots);
        self.changed.notify_waiters();
    }

    /// Waits until there is a worker in every slot, or cannot be.
    pub(super) async fn complete(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let slots = self.slots();
                if slots.broken.is_some() || slots.slots.iter().all(|slot| slot.worker.is_some()) {
                    return;
                }
            }
            changed.await;
        }
    }

    /// All workers that there are.
    pub(super) fn workers(&self) -> Vec<Arc<Worker>> {
        self.slots().slots.iter().filter_map(|slot| slot.worker.clone()).collect()
    }

    /// How many calls could start at once now.
    pub(super) fn free(&self) -> usize {
        self.admission.available_permits()
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// The worker that does least, of those that may run calls of this tenant. Its place is taken.
    fn take(&mut self, tenant: &Tenant, isolation: Isolation, cells: u32) -> Option<Arc<Worker>> {
        let chosen = match isolation {
            Isolation::Shared => self.idlest(cells, |_| true),
            Isolation::PerTenant => self.own(tenant, cells),
        }?;
        let slot = &mut self.slots[chosen];
        slot.owner = Some(tenant.clone());
        let worker = slot.worker.clone()?;
        worker.seats.fetch_add(1, Relaxed);
        Some(worker)
    }

    /// A worker that is the tenant's, or nobody's yet. If there is none, someone else's is replaced.
    fn own(&mut self, tenant: &Tenant, cells: u32) -> Option<usize> {
        let own = self.idlest(cells, |slot| slot.owner.as_ref() == Some(tenant));
        let is_idle = own.is_some_and(|own| self.slots[own].seats() == 0);
        if is_idle {
            return own;
        }
        // While it computes in one, it may have another that nobody wants.
        if let Some(fresh) = self.idlest(cells, |slot| slot.owner.is_none()) {
            return Some(fresh);
        }
        let has_any = self.slots.iter().any(|slot| slot.owner.as_ref() == Some(tenant) && !slot.leaving);
        if !has_any && !self.slots.iter().any(|slot| slot.leaving || slot.worker.is_none()) {
            let leaving = self.idlest(u32::MAX, |_| true)?;
            self.slots[leaving].leaving = true;
        }
        for slot in &self.slots {
            if let (true, 0, Some(worker)) = (slot.leaving, slot.seats(), &slot.worker) {
                worker.replace.notify_one();
            }
        }
        own
    }

    fn idlest(&self, cells: u32, may: impl Fn(&Slot) -> bool) -> Option<usize> {
        let candidates = self.slots.iter().enumerate().filter(|(_, slot)| {
            !slot.leaving && slot.worker.as_ref().is_some_and(|worker| worker.has_seats_for(cells)) && may(slot)
        });
        candidates.min_by_key(|(_, slot)| slot.seats()).map(|(index, _)| index)
    }
}

impl Slot {
    fn seats(&self) -> u32 {
        self.worker.as_ref().map_or(0, |worker| worker.seats.load(Relaxed))
    }
}
