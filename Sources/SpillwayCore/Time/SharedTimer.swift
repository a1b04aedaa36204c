private import CSpillway

#if canImport(Darwin)
private import Darwin
#elseif canImport(Glibc)
private import Glibc
#elseif canImport(Musl)
private import Musl
#endif

/// Something that is told when its time has come.
package protocol Timed: AnyObject, Sendable {
    /// Its time has come.
    ///
    /// Called on the timer's thread, outside of its lock: nothing may wait here.
    func fire()
}

/// The process's one timer: a timer wheel, and one thread that sleeps until the next timer is due.
package final class SharedTimer: @unchecked Sendable {
    /// The timer that all policies share.
    ///
    /// Its thread starts with the first wait and stays for the life of the process.
    package static let process = SharedTimer()

    fileprivate enum Sleeper {
        case new
        case waiting(TimerWheel<Entry>.ID, UnsafeContinuation<Bool, Never>)
        case cancelled
        case done
    }

    /// One wait.
    ///
    /// Guarded by the timer's lock.
    fileprivate final class Waiter: @unchecked Sendable {
        var state = Sleeper.new
    }

    fileprivate enum Entry {
        case waiter(Waiter)
        case told(any Timed)
    }

    /// Names what was told to be told, until it is.
    package struct Handle {
        fileprivate let id: TimerWheel<Entry>.ID
    }

    /// Nanoseconds in a tick: 2²⁰, a little over a millisecond.
    private static let tickShift: UInt64 = 20

    private let parker = spw_parker_create()
    // Behind a pointer, because the lock guards it already: a property of a class would be checked at every use.
    private let wheel: UnsafeMutablePointer<TimerWheel<Entry>>
    private var running = false
    private var wakeTick = UInt64.max

    private init() {
        // For the life of the process.
        wheel = .allocate(capacity: 1)
        wheel.initialize(to: TimerWheel())
    }

    /// Returns at `instant` or up to two ticks later; throws as soon as the task is cancelled.
    package func sleep(until instant: Instant) async throws(CancellationError) {
        let waiter = Waiter()
        let fired = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                add(waiter, until: instant, continuation)
            }
        } onCancel: {
            cancel(waiter)
        }
        if !fired { throw CancellationError() }
    }

    private func add(_ waiter: Waiter, until instant: Instant, _ continuation: UnsafeContinuation<Bool, Never>) {
        let now = spw_now()
        spw_parker_lock(parker)
        if case .cancelled = waiter.state {
            spw_parker_unlock(parker)
            return continuation.resume(returning: false)
        }
        if instant.nanoseconds <= now {
            waiter.state = .done
            spw_parker_unlock(parker)
            return continuation.resume(returning: true)
        }
        waiter.state = .waiting(insert(.waiter(waiter), at: instant, now), continuation)
        spw_parker_unlock(parker)
    }

    /// Tells `target` at `instant` or up to two ticks later, without a task; nil, and nothing told, when it is past.
    package func set(_ target: any Timed, at instant: Instant) -> Handle? {
        let now = spw_now()
        guard instant.nanoseconds > now else { return nil }
        spw_parker_lock(parker)
        let id = insert(.told(target), at: instant, now)
        spw_parker_unlock(parker)
        return Handle(id: id)
    }

    /// Takes back what ``set(_:at:)`` was told, unless it is being told already.
    package func cancel(_ handle: Handle) {
        spw_parker_lock(parker)
        // Let go of after the lock.
        let entry = wheel.pointee.cancel(handle.id)
        spw_parker_unlock(parker)
        withExtendedLifetime(entry) {}
    }

    /// Puts an entry on the wheel, and sees to it that somebody looks; the lock is held.
    private func insert(_ entry: Entry, at instant: Instant, _ now: Int64) -> TimerWheel<Entry>.ID {
        // Rounded up: a timer is never early.
        let nanoseconds = UInt64(max(instant.nanoseconds, 0))
        let tick = (nanoseconds >> Self.tickShift) + (nanoseconds & ((1 << Self.tickShift) - 1) == 0 ? 0 : 1)
        if wheel.pointee.count == 0 {
            // The wheel stood still while it was empty.
            _ = wheel.pointee.advance(to: UInt64(now) >> Self.tickShift)
        }
        let id = wheel.pointee.insert(at: tick, entry)
        if !running {
            running = true
            start()
        } else if tick < wakeTick {
            spw_parker_wake(parker)
        }
        return id
    }

    private func cancel(_ waiter: Waiter) {
        spw_parker_lock(parker)
        var resume: UnsafeContinuation<Bool, Never>?
        switch waiter.state {
        case .new: waiter.state = .cancelled
        case .waiting(let id, let continuation):
            _ = wheel.pointee.cancel(id)
            waiter.state = .done
            resume = continuation
        case .cancelled, .done: break
        }
        spw_parker_unlock(parker)
        resume?.resume(returning: false)
    }

    private func start() {
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let failure = pthread_create(&thread, nil, { _ in SharedTimer.process.run() }, nil)
        // Without a thread every wait would hang for ever; nothing better can be done than to say so.
        precondition(failure == 0, "Spillway's timer thread could not be started: error \(failure)")
        #if canImport(Darwin)
        if let thread { pthread_detach(thread) }
        #else
        pthread_detach(thread)
        #endif
    }

    private func run() -> Never {
        spw_parker_lock(parker)
        while true {
            let due = wheel.pointee.advance(to: UInt64(spw_now()) >> Self.tickShift)
            if !due.isEmpty {
                var ready: [UnsafeContinuation<Bool, Never>] = []
                var told: [any Timed] = []
                for entry in due {
                    switch entry {
                    case .waiter(let waiter):
                        guard case .waiting(_, let continuation) = waiter.state else { continue }
                        waiter.state = .done
                        ready.append(continuation)
                    case .told(let target): told.append(target)
                    }
                }
                spw_parker_unlock(parker)
                for continuation in ready { continuation.resume(returning: true) }
                for target in told { target.fire() }
                spw_parker_lock(parker)
                continue
            }
            wakeTick = wheel.pointee.nextTick ?? .max
            let limit = UInt64(Int64.max) >> Self.tickShift
            spw_parker_wait(parker, wakeTick >= limit ? -1 : Int64(wakeTick << Self.tickShift))
        }
    }
}
