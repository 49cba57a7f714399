// Who may ask a monitor what: the checks before anything is answered.
#pragma once

#include <string>
#include <string_view>

namespace firbank::program {

/// Whether `address` is one in figures, of IPv4 or IPv6 (without brackets or a zone).
bool is_number(std::string_view address);

/// Whether only this machine reaches `address`: 127.x.y.z, ::1 or localhost.
bool is_loopback(std::string_view address);

/// Whether a request's Host header may be one of ours. A page elsewhere that has its own name
/// resolve to this machine (DNS rebinding) sends that name, so names are refused, but for localhost
/// and `address`, that the server was told to listen at; numbers cannot be made to mean others.
bool is_own_host(std::string_view host, std::string_view address);

/// Whether a page of `origin` may change something here: a server's own page alone.
bool is_own_origin(std::string_view origin, std::string_view host);

/// Whether an Authorization header is "Bearer TOKEN"; takes as long for any that is as long.
bool has_token(std::string_view authorization, std::string_view token);

/// 32 random hexadecimal digits.
std::string make_token();

/// Throws: Error (kConfiguration) unless it is 8 to 128 letters, digits, '-', '.', '_' or '~'.
void check_token(std::string_view token);

}  // namespace firbank::program
