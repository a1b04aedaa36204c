/// What names a job: 128 random bits, so that nobody guesses one.
///
/// Who knows the name may ask for the job, unless the queue is told whose it must be. As the idempotency key of a run it is
/// told to the provider.
public struct JobID: Sendable, Hashable, LosslessStringConvertible {
    private let high: UInt64
    private let low: UInt64

    /// A name that nobody can guess, from the system's generator for secrets.
    public static func random() -> JobID {
        var generator = SystemRandomNumberGenerator()
        return JobID(using: &generator)
    }

    /// A name as secret as `generator` is.
    public init(using generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }

    /// The name that is written so: 32 hexadecimal digits in lower case; nil for anything else.
    public init?(_ description: String) {
        var (high, low, count) = (UInt64(0), UInt64(0), 0)
        for byte in description.utf8 {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            count += 1
            guard count <= 32 else { return nil }
            high = high << 4 | low >> 60
            low = low << 4 | UInt64(digit)
        }
        guard count == 32 else { return nil }
        (self.high, self.low) = (high, low)
    }

    /// 32 hexadecimal digits, such as `00f2c3…`.
    public var description: String { Self.digits(high) + Self.digits(low) }

    private static func digits(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
