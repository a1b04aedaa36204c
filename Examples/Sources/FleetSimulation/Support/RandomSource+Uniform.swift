import Spillway

extension RandomSource {
    /// A number from 0 up to, but not including, 1.
    func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A number from 0 to `most`.
    func upTo(_ most: Int) -> Int {
        var source = self
        return Int.random(in: 0...most, using: &source)
    }
}
