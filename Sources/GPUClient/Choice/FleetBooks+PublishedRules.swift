internal import SpillwayCore

/// What others do, as they publish it.
extension FleetState.Books {
    /// llm-d's endpoint picker: 2 × queue + 2 × KV + 3 × prefix, each from 0 to 1, the highest wins.
    ///
    /// Queue is (most − own) / (most − least) of what engines report, KV the share that is free, prefix the share of the prompt's
    /// blocks that match. What no engine reports counts as nobody waiting and free memory.
    func llmd(_ prefix: Prefix, _ open: ReplicaSet) -> Int {
        let (fewest, most) = extremes(of: open) { max(0, $0.reportedWaiting) }
        let blocks = Double(max(1, prefix.hashes.count * prefix.tokensPerHash)), spread = Double(most - fewest)
        return least(of: open) { index, replica in
            let queue = spread == 0 ? 1 : Double(most - max(0, replica.reportedWaiting)) / spread
            return -(2 * queue + 2 * (1 - replica.kvUse) + 3 * Double(cached[index]) / blocks)
        }
    }

    /// SGLang's gateway, `cache_aware`: the shortest queue if loads are unbalanced (most − least > 64 and most > 1.5 × least), else the
    /// longest match if it is more than 0.3 of the prompt, else whoever keeps least.
    func cacheAware(_ prefix: Prefix, _ open: ReplicaSet) -> Int {
        let (fewest, most) = extremes(of: open) { $0.calls }
        if most - fewest > 64, Double(most) > 1.5 * Double(fewest) {
            return least(of: open) { Double($1.calls) }
        }
        let best = least(of: open) { index, _ in -Double(cached[index]) }
        if Double(cached[best]) > 0.3 * Double(prefix.tokens) { return best }
        return least(of: open) { index, _ in Double(map.count(at: index)) }
    }

    /// NVIDIA Dynamo's router at temperature 0: blocks to compute before the first token, those of calls that wait included, and blocks
    /// to hold; the fewest win.
    func dynamo(_ prefix: Prefix, _ open: ReplicaSet) -> Int {
        least(of: open) { Double($1.pending + prefix.tokens - cached[$0] + $1.held) }
    }

    /// The least and the most of a value, none of which is below 0.
    private func extremes(of open: ReplicaSet, _ value: (ReplicaState) -> Int) -> (fewest: Int, most: Int) {
        var fewest = Int.max, most = 0
        open.forEach { index in
            let value = value(replicas[index])
            fewest = min(fewest, value)
            most = max(most, value)
        }
        return (fewest, most)
    }
}
