#include "spw_metrics.h"
#include <math.h>

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') < 10; }

/// Past a word of lower-case letters, in whatever case it is written; null when it is not there.
static const uint8_t *past_word(const uint8_t *at, const uint8_t *end, const char *word) {
    for (; *word; word++, at++)
        if (at == end || (*at | 0x20) != *word) return NULL;
    return at;
}

static double scaled(double value, int exponent) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (value == 0) return value;
    // At most 30 steps: then it is infinite or 0.
    for (; exponent > 22 && isfinite(value); exponent -= 22) value *= 1e22;
    for (; exponent < -22 && value != 0; exponent += 22) value /= 1e22;
    if (!isfinite(value) || value == 0) return value;
    return exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
}

bool spw_number(const uint8_t **start, const uint8_t *end, double *value) {
    const uint8_t *at = *start;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    uint64_t digits = 0;
    int exponent = 0;
    bool any = false, has_point = false;
    for (; at < end && (is_digit(*at) || (*at == '.' && !has_point)); at++) {
        if (*at == '.') {
            has_point = true;
            continue;
        }
        any = true;
        // 19 digits fit; of more only their place counts.
        bool fits = digits < UINT64_C(1000000000000000000);
        if (fits) digits = digits * 10 + (*at - '0');
        if (exponent > -9999 && exponent < 9999) exponent += (int)!fits - (int)has_point;
    }
    double result;
    if (any) {
        const uint8_t *past = at;
        if (at < end && (*at | 0x20) == 'e') {
            past = at + 1;
            bool is_small = past < end && *past == '-';
            if (past < end && (*past == '-' || *past == '+')) past++;
            if (past == end || !is_digit(*past)) return false;
            int power = 0;
            for (; past < end && is_digit(*past); past++)
                if (power < 99999) power = power * 10 + (*past - '0');
            exponent += is_small ? -power : power;
        }
        at = past;
        result = scaled((double)digits, exponent);
    } else {
        if (has_point) return false;
        const uint8_t *past = past_word(at, end, "infinity");
        if (!past) past = past_word(at, end, "inf");
        result = INFINITY;
        if (!past) {
            past = past_word(at, end, "nan");
            result = NAN;
        }
        if (!past) return false;
        at = past;
    }
    *value = is_negative ? -result : result;
    *start = at;
    return true;
}

bool spw_label_equals(spw_bytes label, const uint8_t *text, size_t length) {
    size_t at = 0, i = 0;
    for (; at < label.length; at++, i++) {
        uint8_t byte = label.start[at];
        if (byte == '\\' && at + 1 < label.length) {
            byte = label.start[++at];
            if (byte == 'n') byte = '\n';
        }
        if (i == length || text[i] != byte) return false;
    }
    return i == length;
}

double spw_label_number(spw_bytes label) {
    if (!label.start) return NAN;
    const uint8_t *at = label.start, *end = label.start + label.length;
    double value;
    return spw_number(&at, end, &value) && at == end ? value : NAN;
}
