public import SpillwayCore

/// A second price beside dollars: how much carbon dioxide attempts cost, by model, region and hour.
///
/// Energy is in thousandths of a watt-hour for a million units of a meter, such as a million tokens, or for 1,000 s of a GPU
/// by its milliseconds. The grid's intensity is in grams for a kilowatt-hour. Their product is in millionths of a gram. Where
/// one of both is not known, nor is the footprint: it is never taken for nothing.
public struct Footprint: Sendable {
    private var energy: [String: [Usage.Meter: Int64]] = [:]
    private var grid: [Scope: [(from: Int64, gramsPerKilowattHour: Int64)]] = [:]

    /// Knows nothing yet.
    public init() {}

    /// Enters what a million units of each meter take at `model`; a meter that is not named takes nothing.
    ///
    /// - Parameters:
    ///   - milliwattHours: Thousandths of a watt-hour for a million units; one below 0 counts as 0.
    ///   - model: The model, as in ``Scope/model(_:)``.
    public mutating func setEnergy(milliwattHours: [Usage.Meter: Int64], for model: String) {
        energy[model] = milliwattHours.mapValues { max(0, $0) }
    }

    /// Enters how dirty the current of a region is from a time on, until the next that is entered.
    ///
    /// - Parameters:
    ///   - gramsPerKilowattHour: Grams of carbon dioxide; one below 0 counts as 0.
    ///   - region: The scope by which postings say where they ran, such as `.tag("eu-west-1")` or a provider.
    ///   - time: Nanoseconds since 1970, such as of a full hour.
    public mutating func setIntensity(gramsPerKilowattHour: Int64, of region: Scope, from time: Int64 = .min) {
        grid[region, default: []].removeAll { $0.from == time }
        grid[region, default: []].append((time, max(0, gramsPerKilowattHour)))
        grid[region]?.sort { $0.from < $1.from }
    }

    /// What an attempt cost, in millionths of a gram, rounded to the nearest; nil when usage, model, region or hour is not known.
    public func micrograms(of posting: Posting) -> Int64? {
        guard let usage = posting.usage, let meters = posting.model.flatMap({ energy[$0] }),
            let region = posting.scopes.first(where: { grid[$0] != nil }),
            let intensity = grid[region]?.last(where: { $0.from <= posting.began })?.gramsPerKilowattHour
        else { return nil }
        let work = meters.reduce(Int128(0)) { $0 + Int128($1.value) * Int128(usage[$1.key]) }
        return Money(rounding: work * Int128(intensity), over: 1_000_000).nanodollars
    }
}
