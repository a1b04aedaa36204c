import Spillway

extension RandomSource {
    /// A number from 0 up to, but not including, 1.
    func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }
}
