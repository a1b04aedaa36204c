internal import SpillwayCore

extension FleetRule {
    /// Whether it asks who has computed what.
    var usesPrefixes: Bool {
        switch self {
        case .predicted, .llmd, .cacheAware, .dynamo: true
        case .roundRobin, .random, .leastOutstanding, .powerOfTwo: false
        }
    }
}

extension FleetState.Books {
    /// One of `open`, which is not empty, by the rule.
    mutating func choose(_ ask: FleetState.Ask, _ open: ReplicaSet, _ random: RandomSource) -> Int {
        // Or the first call of each of many clients would go to the same one.
        if lastNumber == 0 { turn = Int(random.next(through: UInt64(replicas.count - 1))) }
        let chosen = one(of: open, ask, random)
        turn = chosen + 1
        return chosen
    }

    private mutating func one(of open: ReplicaSet, _ ask: FleetState.Ask, _ random: RandomSource) -> Int {
        let rule = configuration.rule, prefix = ask.prefix
        if rule.usesPrefixes { match(prefix) }
        switch rule {
        case .predicted: return predicted(ask, spread(open, ask))
        case .roundRobin: return least(of: open) { _, _ in 0 }
        case .random: return any(of: open, random)
        case .leastOutstanding: return least(of: open) { Double($1.calls) }
        case .powerOfTwo:
            let one = any(of: open, random)
            var rest = open
            rest.remove(one)
            if rest.isEmpty { return one }
            let other = any(of: rest, random)
            return replicas[other].calls < replicas[one].calls ? other : one
        case .llmd: return llmd(prefix, open)
        case .cacheAware: return cacheAware(prefix, open)
        case .dynamo: return dynamo(prefix, open)
        }
    }

    /// The replica with the least cost; of equals the next in turn.
    @inline(__always)
    func least(of open: ReplicaSet, _ cost: (Int, ReplicaState) -> Double) -> Int {
        replicas.withUnsafeBufferPointer { replicas in
            var best = -1, least = Double.infinity
            open.forEach { index in
                let cost = cost(index, replicas[index])
                // Of equals those from the turn on come before the others.
                if cost < least || best < 0 || cost == least && best < turn && index >= turn {
                    (best, least) = (index, cost)
                }
            }
            return best
        }
    }

    private func any(of open: ReplicaSet, _ random: RandomSource) -> Int {
        var left = Int(random.next(through: UInt64(open.count - 1))), chosen = -1
        open.forEach { index in
            if left == 0 { chosen = index }
            left -= 1
        }
        return chosen
    }
}
