/// A decimal number as it is written: digits and a power of ten, nothing rounded.
struct DecimalNumber {
    private var digits: Int64
    private var exponent: Int

    /// Reads a number in the notation of JSON; nil when it is none, or has more than 18 digits that matter.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text).utf8[...]
        var negative = false, digits: Int64 = 0, exponent = 0, any = false
        if rest.first == UInt8(ascii: "-") {
            negative = true
            rest = rest.dropFirst()
        }
        // Zeros at the end are held back: they need no place unless another digit follows.
        var zeros = 0
        func append(_ byte: UInt8) -> Bool {
            any = true
            guard byte != UInt8(ascii: "0") else {
                if digits != 0 { zeros += 1 }
                return true
            }
            for _ in 0...zeros {
                guard digits < 100_000_000_000_000_000 else { return false }
                digits *= 10
            }
            digits += Int64(byte - UInt8(ascii: "0"))
            zeros = 0
            return true
        }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        while let byte = rest.first, isDigit(byte) {
            guard append(byte) else { return nil }
            rest = rest.dropFirst()
        }
        guard any else { return nil }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard let first = rest.first, isDigit(first) else { return nil }
            while let byte = rest.first, isDigit(byte) {
                guard append(byte) else { return nil }
                exponent -= 1
                rest = rest.dropFirst()
            }
        }
        exponent += zeros
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            // An exponent that `Int` reads is a sign and digits; 9 999 is beyond every number that fits.
            guard rest.count > 1, rest.count < 7, let power = Int(String(Substring(rest.dropFirst()))) else {
                return nil
            }
            exponent += power
            rest = rest[rest.endIndex...]
        }
        guard rest.isEmpty else { return nil }
        self.digits = negative ? -digits : digits
        self.exponent = exponent
    }

    /// The number times 10^`power`, if that is a whole number that fits.
    func integer(scaledBy power: Int) -> Int64? {
        if digits == 0 { return 0 }
        var value = digits, left = exponent + power
        while left > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
            left -= 1
        }
        while left < 0 {
            guard value % 10 == 0 else { return nil }
            value /= 10
            left += 1
        }
        return value
    }

    /// The number times 10^`power`, rounded to the nearest whole number, ties to even, and whether that lost anything; nil
    /// when it does not fit.
    func rounded(scaledBy power: Int) -> (value: Int64, isExact: Bool)? {
        if let whole = integer(scaledBy: power) { return (whole, true) }
        let places = -(exponent + power)
        guard places > 0 else { return nil }
        // There are at most 18 digits: with more places than that, less than a tenth is left.
        guard places <= 18 else { return (0, false) }
        let divisor = (0..<places).reduce(Int128(1)) { product, _ in product * 10 }
        return (Money(rounding: Int128(digits), over: divisor).nanodollars, false)
    }
}
