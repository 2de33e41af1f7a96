package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"tallygate/routing/origin"
)

// The error codes of the distribution specification, and two of its reference
// implementation (UNKNOWN, UNAVAILABLE) that clients know as well.
const (
	codeBlobUnknown     = "BLOB_UNKNOWN"
	codeDigestInvalid   = "DIGEST_INVALID"
	codeManifestUnknown = "MANIFEST_UNKNOWN"
	codeNameInvalid     = "NAME_INVALID"
	codeNameUnknown     = "NAME_UNKNOWN"
	codeUnauthorized    = "UNAUTHORIZED"
	codeDenied          = "DENIED"
	codeUnsupported     = "UNSUPPORTED"
	codeTooMany         = "TOOMANYREQUESTS"
	codeRangeInvalid    = "RANGE_INVALID"
	codeUnknown         = "UNKNOWN"
	codeUnavailable     = "UNAVAILABLE"
)

// refusal is an answer that hands nothing over.
type refusal struct {
	status  int
	code    string
	message string // for the client
	header  http.Header
	cause   error // for the log; may be nil
}

func refuse(status int, code, message string) *refusal {
	return &refusal{status: status, code: code, message: message}
}

func (e *refusal) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%d %s: %v", e.status, e.code, e.cause)
	}
	return fmt.Sprintf("%d %s: %s", e.status, e.code, e.message)
}

func (e *refusal) Unwrap() error { return e.cause }

// because adds what the log should say.
func (e *refusal) because(err error) *refusal {
	e.cause = err
	return e
}

// set sets a header field of the answer.
func (e *refusal) set(name, value string) {
	if e.header == nil {
		e.header = make(http.Header)
	}
	e.header.Set(name, value)
}

// retryAfter passes on a registry's word on when to come again.
func (e *refusal) retryAfter(resp *http.Response) {
	if after := resp.Header.Get("Retry-After"); after != "" && len(after) <= 64 {
		e.set("Retry-After", after)
	}
}

// unreachable makes an answer of a registry's failure to give one.
func unreachable(err error) *refusal {
	switch {
	case errors.Is(err, context.Canceled):
		// The client is gone; what we write nobody reads.
		return refuse(499, codeUnknown, "request was cancelled").because(err)
	case errors.Is(err, origin.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusGatewayTimeout, codeUnavailable, "registry of this image took too long").because(err)
	case errors.Is(err, origin.ErrPrivateAddress):
		return refuse(http.StatusBadGateway, codeUnavailable, "registry of this image has a private address").because(err)
	}
	return refuse(http.StatusBadGateway, codeUnavailable, "registry of this image can't be reached").because(err)
}

// badAnswer is for a registry that answered, but with nonsense.
func badAnswer(format string, args ...any) *refusal {
	err := fmt.Errorf(format, args...)
	return refuse(http.StatusBadGateway, codeUnavailable, "registry of this image answered badly: "+err.Error()).because(err)
}

// errorBody is the JSON of a registry's errors.
type errorBody struct {
	Errors []errorEntry `json:"errors"`
}

type errorEntry struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// write answers with the registry's error JSON.
func (e *refusal) write(w http.ResponseWriter, r *http.Request) {
	body, err := json.Marshal(errorBody{[]errorEntry{{e.code, e.message}}})
	if err != nil {
		body = []byte(`{"errors":[{"code":"UNKNOWN","message":""}]}`) // two strings always encode
	}
	header := w.Header()
	for name, values := range e.header {
		header[name] = values
	}
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// Bounds of what is believed of a registry's error answers.
const (
	maxErrorBody    = 64 << 10 // bytes read
	maxErrorMessage = 512      // bytes passed on
)

// refusalOf makes an answer of a registry's own refusal. Its code and message are
// kept where they make sense; details are not, since they name the repository at
// the registry, which may be called otherwise here.
func refusalOf(resp *http.Response, t target, ep endpoint) *refusal {
	status, code, message := resp.StatusCode, codeUnknown, "registry of this image refused the request"
	switch {
	case status == http.StatusUnauthorized:
		code, message = codeUnauthorized, "this image is not public"
	case status == http.StatusForbidden:
		code, message = codeDenied, "access to this image is denied"
	case status == http.StatusNotFound, status == http.StatusGone:
		status = http.StatusNotFound
		switch t.kind {
		case blob:
			code, message = codeBlobUnknown, "blob unknown to registry"
		case tags:
			code, message = codeNameUnknown, "repository name not known to registry"
		default:
			code, message = codeManifestUnknown, "manifest unknown"
		}
	case status == http.StatusMethodNotAllowed:
		code, message = codeUnsupported, "the operation is unsupported"
	case status == http.StatusRequestedRangeNotSatisfiable:
		code, message = codeRangeInvalid, "range can't be satisfied"
	case status == http.StatusTooManyRequests:
		code, message = codeTooMany, "too many requests to the registry of this image"
	case status == http.StatusServiceUnavailable, status == http.StatusGatewayTimeout:
		code, message = codeUnavailable, "registry of this image is unavailable"
	case status < 400, status >= 500:
		status, code, message = http.StatusBadGateway, codeUnavailable, fmt.Sprintf("registry of this image answered %d", status)
	}

	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	var parsed errorBody
	if json.Unmarshal(body, &parsed) == nil && len(parsed.Errors) > 0 && status < 500 {
		first := parsed.Errors[0]
		if wellKnown(first.Code) {
			code = first.Code
		}
		if text := first.Message; text != "" && len(text) <= maxErrorMessage && utf8.ValidString(text) {
			message = strings.ReplaceAll(text, ep.repository, t.name)
		}
	}
	e := refuse(status, code, message).because(fmt.Errorf("%s answered %d", ep.host, resp.StatusCode))
	e.retryAfter(resp)
	if rng := resp.Header.Get("Content-Range"); rng != "" && status == http.StatusRequestedRangeNotSatisfiable {
		e.set("Content-Range", rng)
	}
	return e
}

func wellKnown(code string) bool {
	switch code {
	case codeBlobUnknown, codeDigestInvalid, codeManifestUnknown, codeNameInvalid, codeNameUnknown, codeUnauthorized,
		codeDenied, codeUnsupported, codeTooMany, codeRangeInvalid, codeUnknown, codeUnavailable,
		"MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN", "TAG_INVALID", "PAGINATION_NUMBER_INVALID":
		return true
	}
	return false
}
