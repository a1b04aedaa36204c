internal import SpillwayCore

extension JobQueue {
    /// How a run ended.
    private enum End: Sendable {
        case ended(Result<[UInt8], any Error>)
        /// The job is another's, or nobody's.
        case lost
        /// It takes too long.
        case overdue
        /// The worker was told to end.
        case cancelled
    }

    /// How often progress is stored at most.
    private static let progressInterval = Duration.milliseconds(250)

    /// Runs a job that was taken at `began`, and stores what came of it.
    func run(
        _ job: StoredJob, _ began: Instant, _ configuration: Configuration, _ classifier: Classifier,
        _ operation: @escaping @Sendable (JobRun) async throws -> [UInt8]
    ) async {
        let run = JobRun(job)
        desk.withLock { $0.runs[run.id] = run }
        defer {
            desk.withLock { desk in
                // A later run of the same job may have begun.
                if desk.runs[run.id] === run { desk.runs[run.id] = nil }
            }
        }
        ringWatchers(run.id)
        let end = Task.isCancelled ? .cancelled : await execute(run, began, configuration, operation)
        guard let change = change(after: end, run, configuration, classifier) else { return }
        await settle(run.id, change)
        ringWatchers(run.id)
        // It may be for them.
        ringWorkers()
    }

    /// Runs the operation while its lease is kept.
    private func execute(
        _ run: JobRun, _ began: Instant, _ configuration: Configuration,
        _ operation: @escaping @Sendable (JobRun) async throws -> [UInt8]
    ) async -> End {
        await withTaskGroup(of: End.self) { group in
            group.addTask {
                let context = CallContext(
                    deadline: began.advanced(by: configuration.longestRun), criticality: run.criticality)
                return .ended(await context.bound { () async throws -> [UInt8] in try await operation(run) })
            }
            group.addTask { await self.keep(run, began, configuration) }
            guard let first = await group.next() else { return .cancelled }
            group.cancelAll()
            if case .ended = first { return first }
            // What was done nevertheless counts, if the job is still this run's.
            if case .ended(.success(let result)) = await group.next() { return .ended(.success(result)) }
            return first
        }
    }

    /// Renews the lease and stores the progress until the run may not go on, or the task is cancelled.
    private func keep(_ run: JobRun, _ began: Instant, _ configuration: Configuration) async -> End {
        let lease = configuration.lease, end = began.advanced(by: configuration.longestRun)
        var renewal = began.advanced(by: lease / 3), sure = began.advanced(by: lease), written = began, progress = 0.0
        while true {
            var wake = min(renewal, end)
            if run.progress != progress { wake = min(wake, written.advanced(by: Self.progressInterval)) }
            await run.bell.wait(until: wake, time)
            if run.isStopped { return .lost }
            if Task.isCancelled { return .cancelled }
            let now = time.now, reached = run.progress
            if now >= end { return .overdue }
            guard
                now >= renewal || reached != progress && now >= written.advanced(by: Self.progressInterval)
            else { continue }
            let change = JobChange.renew(
                token: run.token, lease: lease.clampedNanoseconds, progress: reached)
            do throws(JobError) {
                let unix = unix()
                let changed = try await stored { store throws(StoreError) in
                    try await store.change(run.id, change, at: unix)
                }
                guard changed?.isApplied == true else { return .lost }
                (written, renewal, sure) = (now, now.advanced(by: lease / 3), now.advanced(by: lease))
                if reached != progress { ringWatchers(run.id) }
                progress = reached
            } catch {
                // Others may have it from then on.
                if time.now >= sure { return .lost }
                (written, renewal) = (now, min(now.advanced(by: lease / 10), sure))
            }
        }
    }

    /// What the store is to be told; nil: nothing.
    private func change(
        after end: End, _ run: JobRun, _ configuration: Configuration, _ classifier: Classifier
    ) -> JobChange? {
        let error: any Error
        switch end {
        case .lost: return nil
        case .cancelled: return .giveBack(token: run.token)
        case .overdue:
            let failure = JobFailure(.timeout, "it ran for longer than \(configuration.longestRun)")
            let pause = configuration.pause(afterRun: run.number, hint: nil, random)
            return .retry(token: run.token, after: pause, failure: failure, counts: true)
        case .ended(.success(let result)):
            guard result.count > configuration.mostResult else { return .finish(token: run.token, result: result) }
            let message = "its result has \(result.count) bytes, but may have \(configuration.mostResult)"
            return .fail(token: run.token, failure: JobFailure(.unacceptable, message))
        case .ended(.failure(let failure)): error = failure
        }
        if Task.isCancelled { return .giveBack(token: run.token) }
        let outcome = classifier(error), failure = JobFailure(outcome.cause, "\(error)")
        if configuration.hopeless.contains(outcome.cause) { return .fail(token: run.token, failure: failure) }
        let pause = configuration.pause(afterRun: run.number, hint: outcome.retryAfter, random)
        return .retry(token: run.token, after: pause, failure: failure, counts: outcome.cause != .rejected)
    }

    /// Tells the store, also when the task is cancelled, and again while it fails.
    ///
    /// What it is not told in the end, another worker does again.
    private func settle(_ id: JobID, _ change: JobChange) async {
        var pause = Self.shortestPause
        while true {
            let told = await ChildTask.start(on: TaskExecutorPreference.current) { [self] () -> JobError? in
                let now = unix()
                do throws(JobError) {
                    _ = try await stored { store throws(StoreError) in
                        try await store.change(id, change, at: now)
                    }
                    return nil
                } catch { return error }
            }.value
            guard case .store(let failure) = told, !failure.isFinal else { return }
            guard (try? await time.sleep(for: pause)) != nil else { return }
            pause = min(pause * 2, Self.longestPause)
        }
    }
}
