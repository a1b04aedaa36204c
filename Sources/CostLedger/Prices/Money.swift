/// An amount of money: a whole number of nano-dollars, from −9.2 to 9.2 billion dollars.
///
/// No floating point touches it. Sums beyond the range stop at its ends.
public struct Money: Sendable, Hashable, Comparable {
    /// Billionths of a dollar.
    public var nanodollars: Int64

    /// An amount in billionths of a dollar.
    @inlinable
    public init(nanodollars: Int64) { self.nanodollars = nanodollars }

    /// Nothing.
    public static let zero = Money(nanodollars: 0)
    /// The largest amount: about 9.2 billion dollars.
    public static let max = Money(nanodollars: .max)

    /// So many dollars; stops at the ends of the range.
    public static func dollars(_ dollars: Int) -> Money { scaled(dollars, 1_000_000_000) }
    /// So many hundredths of a dollar; stops at the ends of the range.
    public static func cents(_ cents: Int) -> Money { scaled(cents, 10_000_000) }

    private static func scaled(_ count: Int, _ unit: Int64) -> Money {
        let (product, overflow) = Int64(count).multipliedReportingOverflow(by: unit)
        return Money(nanodollars: overflow ? (count < 0 ? .min : .max) : product)
    }

    /// An amount of dollars in decimal digits, such as `0.0025` or `2.5e-3`; nil for what is not a number, has a part
    /// smaller than a nano-dollar, or is out of range.
    public init?(dollars text: some StringProtocol) {
        guard let amount = DecimalNumber(text)?.integer(scaledBy: 9) else { return nil }
        nanodollars = amount
    }

    /// Orders amounts.
    @inlinable
    public static func < (left: Money, right: Money) -> Bool { left.nanodollars < right.nanodollars }

    /// The sum, which stops at the ends of the range.
    public static func + (left: Money, right: Money) -> Money {
        let (sum, overflow) = left.nanodollars.addingReportingOverflow(right.nanodollars)
        return Money(nanodollars: overflow ? (left.nanodollars < 0 ? .min : .max) : sum)
    }

    /// The difference, which stops at the ends of the range.
    public static func - (left: Money, right: Money) -> Money {
        let (difference, overflow) = left.nanodollars.subtractingReportingOverflow(right.nanodollars)
        return Money(nanodollars: overflow ? (left.nanodollars < 0 ? .min : .max) : difference)
    }

    /// Adds `right`.
    public static func += (left: inout Money, right: Money) { left = left + right }
    /// Takes `right` off.
    public static func -= (left: inout Money, right: Money) { left = left - right }

    /// `part` of `whole` of this amount at full width, rounded to the nearest nano-dollar, ties to even.
    ///
    /// For shares and rates; `whole` above 0. Stops at the ends of the range.
    public func times(_ part: Int64, over whole: Int64) -> Money {
        precondition(whole > 0, "a share of nothing")
        return Money(rounding: Int128(nanodollars) * Int128(part), over: Int128(whole))
    }

    /// `product` / `divisor` rounded to the nearest nano-dollar, ties to even: the one rounding rule of the ledger.
    init(rounding product: Int128, over divisor: Int128) {
        let (quotient, rest) = product.quotientAndRemainder(dividingBy: divisor)
        let twice = rest.magnitude * 2, whole = divisor.magnitude
        let isUp = twice > whole || (twice == whole && quotient & 1 != 0)
        nanodollars = Int64(clamping: isUp ? quotient + (product < 0 ? -1 : 1) : quotient)
    }
}

extension Money: CustomStringConvertible {
    /// Dollars with all digits that are not zero, at least two: `$0.0025`, `-$3.10`.
    public var description: String {
        let (dollars, rest) = nanodollars.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        // A one in front keeps the leading zeros.
        var digits = String(1_000_000_000 + rest).dropFirst()
        while digits.count > 2, digits.last == "0" { digits.removeLast() }
        return "\(nanodollars < 0 ? "-" : "")$\(dollars).\(digits)"
    }
}
