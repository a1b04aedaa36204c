public import SpillwayCore

extension JobQueue {
    /// Does jobs, the next one whenever a place is free and `isWanted` says so, until the task is cancelled.
    ///
    /// It has the shape of a service of swift-service-lifecycle, and may run in several processes and several times in one.
    /// When the task is cancelled, runs are cancelled too, and jobs that were not done are given back for others. While the
    /// store fails it tries again after 50 ms to 5 s.
    ///
    /// Runs have their task cancelled when they take too long, when their job is cancelled, and when their lease is lost, because
    /// the process was held up for so long that another worker took the job; an operation must end then.
    ///
    /// - Parameters:
    ///   - most: How many runs at once, at least 1.
    ///   - isWanted: Whether to begin another, asked before each one, and after ``Configuration/interval`` when it says no. It
    ///     must not block.
    ///   - classifier: Says what an error means: whether another run may help, and when.
    ///   - operation: Does the job, and returns its result. It may be run again for a job that it has done, when the process
    ///     dies before the result is stored: give ``JobRun/idempotencyKey`` to whoever can use it. Its `CallContext` has the
    ///     job's criticality, and when the run must end.
    /// - Throws: `ConfigurationError` for no places; ``JobError/store(_:)`` when the store is closed or damaged.
    public func work(
        upTo most: Int = 1, when isWanted: @escaping @Sendable (Instant) -> Bool = { _ in true },
        classifier: Classifier = .standard, _ operation: @escaping @Sendable (JobRun) async throws -> [UInt8]
    ) async throws {
        try Validation("JobQueue").count(most, "upTo", in: 1...Int.max)
        let bell = Doorbell(), places = Places(most)
        let number = desk.withLock { desk in
            desk.lastNumber += 1
            desk.workers[desk.lastNumber] = bell
            return desk.lastNumber
        }
        defer { _ = desk.withLock { $0.workers.removeValue(forKey: number) } }
        let end = await withDiscardingTaskGroup { group -> JobError? in
            var pause = Self.shortestPause
            while !Task.isCancelled {
                guard places.isFree else {
                    await bell.wait(until: nil, time)
                    continue
                }
                let began = time.now, configuration = configuration
                do throws(JobError) {
                    guard isWanted(began) else {
                        // Also while nothing is begun, jobs expire.
                        _ = try await counts()
                        try? await time.sleep(until: began.advanced(by: configuration.interval))
                        continue
                    }
                    let handout = try await take(configuration)
                    pause = Self.shortestPause
                    guard let job = handout.job else {
                        await bell.wait(until: wake(handout.due, configuration), time)
                        continue
                    }
                    places.take()
                    group.addTask {
                        await self.run(job, began, configuration, classifier, operation)
                        places.leave()
                        bell.ring()
                    }
                } catch {
                    if case .store(let failure) = error, failure.isFinal {
                        group.cancelAll()
                        return error
                    }
                    try? await time.sleep(for: pause)
                    pause = min(pause * 2, Self.longestPause)
                }
            }
            return nil
        }
        if let end { throw end }
    }

    static var shortestPause: Duration { .milliseconds(50) }
    static var longestPause: Duration { .seconds(5) }

    private func take(_ configuration: Configuration) async throws(JobError) -> JobHandout {
        let now = unix(), name = name
        return try await stored { store throws(StoreError) in
            try await store.take(
                from: name, lease: configuration.lease.clampedNanoseconds, bounds: configuration.bounds, at: now)
        }
    }

    /// When to look again if nobody rings; nil: never.
    private func wake(_ due: Int64?, _ configuration: Configuration) -> Instant? {
        let now = time.now
        // The clocks differ in speed, and the wall clock may be set.
        let next = due.map { max(0, $0 - unix()) }.map { now.advanced(by: min(.nanoseconds($0), .seconds(60))) }
        guard store.isShared else { return next }
        let look = now.advanced(by: configuration.interval)
        return next.map { min($0, look) } ?? look
    }
}

/// So many runs at once.
private final class Places: Sendable {
    private let free: Locked<Int>

    init(_ count: Int) { free = Locked(count) }

    var isFree: Bool { free.withLock { $0 > 0 } }
    func take() { free.withLock { $0 -= 1 } }
    func leave() { free.withLock { $0 += 1 } }
}
