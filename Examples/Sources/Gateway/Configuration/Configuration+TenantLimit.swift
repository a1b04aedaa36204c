import HTTPTypes
import Spillway

extension Configuration.TenantLimit {
    /// Reads the field `tenantLimit`.
    init(_ field: Field) throws {
        let fields = try field.fields("perMinute", "burst", "header")
        let rate = Rate.perMinute(try fields.required("perMinute").number(in: 0.001...1e9))
        let burst = UInt32(try fields.required("burst").count(in: 1...1_000_000_000))
        let own = KeyedTokenBucket.Configuration(rate: rate, burst: burst)
        // Made once to be checked, and again when the gateway starts.
        bucket = try field.blame { () throws(ConfigurationError) in
            _ = try KeyedTokenBucket("check", own)
            return own
        }
        let name = try fields.required("header")
        header = try name.text()
        guard HTTPField.Name(header) != nil else { throw name.refuse("the name of a header") }
    }
}
