import Testing

@testable import CostLedger

@Suite struct MoneyTests {
    @Test(
        arguments: [
            ("0", 0), ("1", 1_000_000_000), ("-3.10", -3_100_000_000), ("2.5e-3", 2_500_000), ("1E+2", 100_000_000_000),
            ("0.000000001", 1), ("9223372036.854775807", nil), ("922337203.685477580", 922_337_203_685_477_580),
            ("0.0000000010000000000000000000000000", 1), ("1e99999", nil), ("0.0000000001", nil), ("", nil), ("-", nil),
            ("1.", nil), (".5", nil), ("1e", nil), ("0x10", nil), ("1 ", nil), ("١", nil), ("nan", nil),
        ] as [(String, Int64?)])
    func `dollars are read exactly, or not at all`(text: String, nanodollars: Int64?) {
        #expect(Money(dollars: text)?.nanodollars == nanodollars)
    }

    @Test(
        arguments: [
            (0, "$0.00"), (2_500_000, "$0.0025"), (-3_100_000_000, "-$3.10"), (1, "$0.000000001"),
            (.min, "-$9223372036.854775808"),
        ] as [(Int64, String)])
    func `amounts are written with all their digits`(nanodollars: Int64, text: String) {
        #expect(Money(nanodollars: nanodollars).description == text)
    }

    @Test(arguments: [(5, 2), (15, 8), (25, 12), (-5, -2), (-15, -8), (14, 7), (16, 8), (6, 3)] as [(Int64, Int64)])
    func `halves go to the even neighbour`(tenth: Int64, rounded: Int64) {
        #expect(Money(nanodollars: tenth).times(1, over: 2).nanodollars == rounded)
    }

    @Test func `sums stop at the ends`() {
        #expect(Money.max + .cents(1) == .max)
        #expect(Money(nanodollars: .min) - .cents(1) == Money(nanodollars: .min))
        #expect(Money.dollars(.max) == .max)
        #expect(Money.cents(.min) == Money(nanodollars: .min))
        #expect(Money.max.times(3, over: 2) == .max)
    }
}
