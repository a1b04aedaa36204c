import Spillway

extension RetryBudget.Configuration {
    /// Reads the field `budget`.
    init(_ field: Field) throws {
        let fields = try field.fields("ratio", "burst", "minimumPerSecond")
        self.init()
        ratio = try fields.number("ratio", in: 0...10) ?? ratio
        burst = try fields.count("burst", in: 0...100_000) ?? burst
        minimumPerSecond = try fields.number("minimumPerSecond", in: 0...10_000) ?? minimumPerSecond
    }
}
