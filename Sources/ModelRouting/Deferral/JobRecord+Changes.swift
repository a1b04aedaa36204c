internal import SpillwayCore

extension JobRecord {
    /// Gives a job that is ready to a worker, for `lease` nanoseconds unless it is renewed.
    public mutating func take(lease: Int64, at now: Int64) {
        phase = .running
        token += 1
        runs += 1
        progress = 0
        due = Self.sum(now, lease)
    }

    /// Lets `change` happen; false when it may not: the job has ended, or another worker has it.
    ///
    /// A worker whose lease is over may still end the job as long as nobody noticed: it was the last to take it.
    public mutating func apply(_ change: JobChange, at now: Int64) -> Bool {
        switch change {
        case .renew(let token, let lease, let progress):
            guard isHeld(by: token) else { return false }
            self.progress = progress
            due = Self.sum(now, lease)
        case .finish(let token, _):
            guard isHeld(by: token) else { return false }
            progress = 1
            failure = nil
            end(.done, at: now)
        case .retry(let token, let pause, let failure, let counts):
            guard isHeld(by: token) else { return false }
            self.failure = failure
            progress = 0
            if counts, runs >= mostRuns {
                end(.failed, at: now)
            } else {
                if !counts { runs -= 1 }
                phase = .delayed
                due = min(Self.sum(now, max(0, pause)), expires)
            }
        case .fail(let token, let failure):
            guard isHeld(by: token) else { return false }
            self.failure = failure
            end(.failed, at: now)
        case .giveBack(let token):
            guard isHeld(by: token) else { return false }
            runs -= 1
            wait()
        case .cancel:
            if phase.isWaiting { pass(to: now) }
            guard !phase.isEnded else { return false }
            end(.cancelled, at: now)
        }
        return true
    }

    /// Lets happen what happens by itself until `now`; false: nothing did.
    @discardableResult
    public mutating func pass(to now: Int64) -> Bool {
        let before = phase
        while due <= now, !phase.isEnded {
            switch phase {
            case .running where runs >= mostRuns:
                failure = JobFailure(.unknown, "its worker went away in run \(runs) of \(mostRuns)")
                end(.failed, at: now)
            case .running: wait()
            default: if expires <= now { end(.expired, at: now) } else { wait() }
            }
        }
        return phase != before
    }

    /// Whether it has ended so long ago that it is to be deleted.
    public func isOver(at now: Int64) -> Bool { phase.isEnded && due <= now }

    /// The wall clock was set back by so many nanoseconds: a lease or a pause need not last longer for it.
    ///
    /// False: the job does not mind.
    public mutating func clockWentBack(by nanoseconds: Int64) -> Bool {
        guard phase == .running || phase == .delayed else { return false }
        due -= nanoseconds
        return true
    }

    private func isHeld(by token: Int64) -> Bool { phase == .running && self.token == token }

    private mutating func wait() {
        phase = .ready
        progress = 0
        due = expires
    }

    private mutating func end(_ phase: Phase, at now: Int64) {
        self.phase = phase
        due = Self.sum(now, keeps)
    }

    private static func sum(_ time: Int64, _ nanoseconds: Int64) -> Int64 {
        let (sum, overflow) = time.addingReportingOverflow(nanoseconds)
        return overflow ? .max : sum
    }

    /// The job for who asks.
    func job(ahead: Int, result: [UInt8]?) -> Job {
        let state: JobState =
            switch phase {
            case .ready, .delayed: .queued(ahead: ahead)
            case .running: .running(progress: progress)
            case .done: .done(result ?? [])
            case .failed: .failed(failure ?? JobFailure(.unknown, ""))
            case .expired: .expired
            case .cancelled: .cancelled
            }
        return Job(
            id: id, tenant: tenant, key: key, criticality: criticality, submitted: submitted, expires: expires,
            runs: runs, state: state)
    }
}
