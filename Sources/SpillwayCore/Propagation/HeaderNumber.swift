/// Whole numbers in headers.
enum HeaderNumber {
    /// The number, at most `Int.max`; nil unless it is made of digits alone, after a minus at most, with blanks around it at
    /// most.
    static func read(_ text: String?) -> Int? {
        guard let text else { return nil }
        var number = 0, digits = 0, ended = false, isNegative = false
        for byte in text.utf8 {
            switch byte {
            case 0x20, 0x09:
                if isNegative && digits == 0 { return nil }
                ended = digits > 0
            case 0x2D where digits == 0 && !isNegative: isNegative = true
            case 0x30...0x39 where !ended:
                digits += 1
                let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(byte - 0x30))
                number = overflow || carry ? .max : sum
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        return isNegative ? -number : number
    }
}
