extension Usage: CustomStringConvertible {
    /// The counts that are not 0, and where they come from, such as `input 900, output 100, requests 1 (provider)`.
    public var description: String {
        let counts = Meter.allCases.filter { self[$0] > 0 }.map { "\($0) \(self[$0])" }
        return "\(counts.isEmpty ? "nothing" : counts.joined(separator: ", ")) (\(source))"
    }
}
