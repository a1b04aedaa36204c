internal import SpillwayCore

/// Calls that are under way, by request, and who waits for each.
final class Flights<Value: Sendable>: Sendable {
    /// What a call is to do.
    enum Verdict: Sendable {
        /// To make the answer, and then to say how it went.
        case leads
        /// Another has made it.
        case landed(Value)
        /// Another has failed, in a way that would not be different for this one.
        case failed(any Error)
        /// The task was cancelled while it waited.
        case cancelled
    }

    private struct Waiter {
        let number: UInt64
        /// Nil: it is not there to be woken yet.
        var continuation: UnsafeContinuation<Verdict, Never>?
    }

    private struct State {
        /// Those who wait for each request that is under way, in the order in which they came.
        var flights: [CacheKey: [Waiter]] = [:]
        /// Those who have a verdict, and have not come for it.
        var decided: [UInt64: Verdict] = [:]
        var lastNumber: UInt64 = 0

        /// Where a waiter stands: numbers only grow.
        func place(of number: UInt64, _ key: CacheKey) -> Int? {
            guard let waiters = flights[key] else { return nil }
            var (first, end) = (0, waiters.count)
            while first < end {
                let middle = (first + end) / 2
                if waiters[middle].number < number { first = middle + 1 } else { end = middle }
            }
            return first < waiters.count && waiters[first].number == number ? first : nil
        }
    }

    private let state = Locked(State())

    /// How many requests are under way, and how many calls wait for them.
    var counts: (flights: Int, waiters: Int) {
        state.withLock { ($0.flights.count, $0.flights.values.reduce($0.decided.count) { $0 + $1.count }) }
    }

    /// Joins the call that is under way for `key`, or is the one.
    func join(_ key: CacheKey) async -> Verdict {
        let number = state.withLock { state -> UInt64? in
            guard state.flights[key] != nil else {
                state.flights[key] = []
                return nil
            }
            state.lastNumber += 1
            state.flights[key]?.append(Waiter(number: state.lastNumber))
            return state.lastNumber
        }
        guard let number else { return .leads }
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let verdict = state.withLock { state -> Verdict? in
                    if let verdict = state.decided.removeValue(forKey: number) { return verdict }
                    guard let place = state.place(of: number, key) else {
                        return .cancelled
                    }
                    state.flights[key]?[place].continuation = continuation
                    return nil
                }
                if let verdict { continuation.resume(returning: verdict) }
            }
        } onCancel: {
            cancel(number, key)
        }
    }

    /// A waiter that has a verdict keeps it: then somebody counts on what it does.
    private func cancel(_ number: UInt64, _ key: CacheKey) {
        let continuation = state.withLock { state -> UnsafeContinuation<Verdict, Never>? in
            guard let place = state.place(of: number, key) else { return nil }
            let waiter = state.flights[key]?.remove(at: place)
            if waiter?.continuation == nil { state.decided[number] = .cancelled }
            return waiter?.continuation
        }
        continuation?.resume(returning: .cancelled)
    }

    /// Ends a flight: all who wait are told.
    func end(_ key: CacheKey, _ verdict: Verdict) {
        let waiters = state.withLock { state in
            let waiters = state.flights.removeValue(forKey: key) ?? []
            for waiter in waiters where waiter.continuation == nil { state.decided[waiter.number] = verdict }
            return waiters
        }
        for waiter in waiters { waiter.continuation?.resume(returning: verdict) }
    }

    /// The leader leaves without a result that would do for others: the next one leads.
    func passOn(_ key: CacheKey) {
        let next = state.withLock { state -> UnsafeContinuation<Verdict, Never>? in
            guard let waiters = state.flights[key], let next = waiters.first else {
                state.flights[key] = nil
                return nil
            }
            state.flights[key]?.removeFirst()
            if next.continuation == nil { state.decided[next.number] = .leads }
            return next.continuation
        }
        next?.resume(returning: .leads)
    }
}
