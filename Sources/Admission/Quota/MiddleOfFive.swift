/// The middle one of the last five values, so that one odd value moves nothing.
struct MiddleOfFive {
    private var values = SIMD8<Double>()
    private(set) var count = 0
    private var next = 0

    mutating func add(_ value: Double) {
        values[next] = value
        next = (next + 1) % 5
        count = min(count + 1, 5)
    }

    /// Nil: there is none yet.
    var middle: Double? {
        if count == 0 { return nil }
        // The one that as many are not above as are not below.
        for index in 0..<count {
            var below = 0, same = 0
            for other in 0..<count {
                below += values[other] < values[index] ? 1 : 0
                same += values[other] == values[index] ? 1 : 0
            }
            if below <= count / 2, below + same > count / 2 { return values[index] }
        }
        return values[0]
    }
}
