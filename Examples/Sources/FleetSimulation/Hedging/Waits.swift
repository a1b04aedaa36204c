/// Requests by the ticks that they waited.
struct Waits: Sendable, Hashable {
    private var served: [Int] = []
    private(set) var givenUp = 0

    /// Adds a request that has come to its end.
    mutating func count(_ request: RequestQueue.Request) {
        guard let tick = request.served else {
            givenUp += 1
            return
        }
        let wait = tick - request.arrived
        while served.count <= wait { served.append(0) }
        served[wait] += 1
    }

    private var answers: Int { served.reduce(0, +) }

    /// Requests that were not served, in percent of all.
    var lost: Double { 100 * Double(givenUp) / Double(max(answers + givenUp, 1)) }

    /// The mean wait of those that were served, in ticks.
    var mean: Double {
        Double(served.enumerated().reduce(0) { $0 + $1.offset * $1.element }) / Double(max(answers, 1))
    }

    /// Ticks within which the share `quantile` of those that were served had their answer.
    func quantile(_ quantile: Double) -> Int {
        var left = quantile * Double(answers)
        for (wait, count) in served.enumerated() {
            left -= Double(count)
            if left <= 0 { return wait }
        }
        return max(served.count - 1, 0)
    }

    /// Requests that waited more than one tick, in percent of those that were served.
    var beyondOneTick: Double { 100 * Double(served.dropFirst(2).reduce(0, +)) / Double(max(answers, 1)) }
}
