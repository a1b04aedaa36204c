internal import SpillwayCore

/// Which faults last, and what that means for each replica.
final class ActiveFaults: Sendable {
    /// A replica whose condition may have changed.
    struct Struck {
        let replica: Int
        let before: ReplicaCondition
        let after: ReplicaCondition
    }

    private struct Contents {
        /// By their number in the script.
        var active: Set<Int> = []
        var conditions: [ReplicaCondition]
    }

    private let script: FaultScript
    private let zones: Int
    private let contents: Locked<Contents>

    init(_ script: FaultScript, replicas: Int, zones: Int) {
        self.script = script
        self.zones = zones
        contents = Locked(Contents(conditions: Array(repeating: ReplicaCondition([]), count: replicas)))
    }

    func condition(of replica: Int) -> ReplicaCondition { contents.withLock { $0.conditions[replica] } }

    /// The fault with this number begins.
    func begin(_ number: Int) -> [Struck] { update(number) { $0.insert(number) } }

    /// The fault with this number is over.
    func end(_ number: Int) -> [Struck] { update(number) { $0.remove(number) } }

    private func update(_ number: Int, _ change: (inout Set<Int>) -> Void) -> [Struck] {
        contents.withLock { contents in
            change(&contents.active)
            // In the script's order, so that products of doubles come out the same every time.
            let active = contents.active.sorted().map { script.faults[$0] }
            return contents.conditions.indices.filter { strikes(script.faults[number], $0) }.map { replica in
                let before = contents.conditions[replica]
                let after = ReplicaCondition(active.filter { strikes($0, replica) })
                contents.conditions[replica] = after
                return Struck(replica: replica, before: before, after: after)
            }
        }
    }

    private func strikes(_ fault: Fault, _ replica: Int) -> Bool {
        switch fault.place {
        case .replica(let number)?: number == replica
        case .zone(let number)?: number == replica % zones
        case nil: false
        }
    }
}
