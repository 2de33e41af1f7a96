package catalog

// The codes of the public API (reference/public-api.openapi.json) that the
// catalog decides about. The API's names for one mistake differ between its
// objects: a package calls "public-domain-…" what a domain calls "domain-…".
const (
	CodePackageAlreadyExists Code = "package-already-exists"
	CodePackageIsConflicting Code = "package-is-conflicting"
	CodePackageNameIsEmpty   Code = "package-name-is-empty"
	CodeNotAFilePackage      Code = "not-a-file-package"

	CodeIncomingPathIsEmpty          Code = "incoming-path-must-not-be-empty"
	CodeIncomingPathNotRelative      Code = "incoming-path-must-be-relative"
	CodeIncomingPathWithoutSlash     Code = "incoming-path-must-start-with-slash"
	CodeIncomingPathInvalidTemplate  Code = "incoming-path-invalid-url-template"
	CodeIncomingPathMissingVariables Code = "incoming-path-missing-variables"
	CodeOutgoingURLIsEmpty           Code = "outgoing-url-must-not-be-empty"
	CodeOutgoingURLNotAbsolute       Code = "outgoing-url-must-be-absolute"
	CodeOutgoingURLInvalidTemplate   Code = "outgoing-url-invalid-url-template"

	CodeImageNameTooLong           Code = "docker-image-name-is-longer-than-255-characters"
	CodeImageNameEmptySegments     Code = "docker-image-name-has-empty-segments"
	CodeImageNameInvalidCharacters Code = "docker-image-name-has-invalid-characters"
	CodeRegistryIsEmpty            Code = "backend-registry-is-empty"
	CodeRegistryInvalidCharacters  Code = "backend-registry-has-invalid-characters"

	CodePublicDomainIsEmpty           Code = "public-domain-is-empty"
	CodePublicDomainInUse             Code = "public-domain-is-already-in-use"
	CodePublicDomainInvalidCharacters Code = "public-domain-has-invalid-characters"
	CodePublicDomainIsReserved        Code = "public-domain-is-invalid-scarf-domain"
	CodeDomainIsEmpty                 Code = "domain-is-empty"
	CodeDomainInUse                   Code = "domain-is-already-in-use"
	CodeDomainInvalidCharacters       Code = "domain-has-invalid-characters"
	CodeDomainIsReserved              Code = "domain-is-invalid-scarf-domain"

	CodeInvalidPythonProject     Code = "invalid-python-project-name"
	CodeRepositoryURLInvalid     Code = "repository-url-invalid"
	CodeRepositoryURLNotHTTPS    Code = "repository-url-not-https"
	CodeRepositoryURLNoTrailing  Code = "repository-url-missing-trailing-slash"
	CodePatternIsEmpty           Code = "pattern-is-empty"
	CodePatternIsInvalid         Code = "pattern-is-invalid"
	CodePatternIsDuplicated      Code = "pattern-is-duplicated"
	CodePatternInvalidCharacters Code = "pattern-has-invalid-characters"
	CodeNameIsEmpty              Code = "name-is-empty"
	CodeNameAlreadyExists        Code = "name-already-exists"
	CodeInvalidPackageOwner      Code = "invalid-package-owner"
	CodeInvalidOrganizationName  Code = "invalid-organization-name"
	CodeEntityAlreadyExists      Code = "entity-already-exists"
	CodeInvalidBillingEmail      Code = "invalid-billing-email"
	CodeInvalidWebsiteURL        Code = "invalid-website-url"
	CodeTypeIsInvalid            Code = "type-is-invalid"
	CodeNotFound                 Code = "not-found"
)

// Our own codes, for what the public API has no word for.
const (
	// About the command as a whole.
	CodeCommandFormat   Code = "command-format-is-not-supported"
	CodeCommandInvalid  Code = "command-is-invalid"
	CodeCommandTooLarge Code = "command-is-too-large"

	// About an operation.
	CodeOperationInvalid Code = "operation-is-invalid"
	CodeVersionMismatch  Code = "version-mismatch" // IfVersion; HTTP 412
	CodeOperatorOnly     Code = "operator-only"

	// About fields of any kind.
	CodeFieldIsEmpty      Code = "field-is-empty"
	CodeFieldTooLong      Code = "field-is-too-long"
	CodeTextInvalid       Code = "text-has-invalid-characters"
	CodeTooMany           Code = "too-many-items"
	CodeDuplicate         Code = "item-is-duplicated"
	CodeTimeInvalid       Code = "time-is-invalid"
	CodeHashInvalid       Code = "hash-is-invalid"
	CodeHashInUse         Code = "hash-is-already-in-use"
	CodeFieldNotForType   Code = "field-does-not-fit-type"
	CodeFieldIsMissing    Code = "field-is-missing"
	CodeOwnerNotFound     Code = "owner-does-not-exist"
	CodeOwnerInUse        Code = "owner-still-owns-objects"
	CodeUserNotFound      Code = "user-does-not-exist"
	CodeInvalidUserName   Code = "invalid-user-name"
	CodeOverrideInvalid   Code = "variable-override-is-invalid"
	CodePackageNotFound   Code = "package-does-not-exist"
	CodeScopeInvalid      Code = "scope-is-invalid"
	CodeDomainNotClaimed  Code = "domain-is-not-claimed"
	CodeDomainNotAttached Code = "domain-is-not-attached"
	CodeDomainStillInUse  Code = "domain-is-still-attached"
	CodeDomainState       Code = "domain-state-is-invalid"
	CodeRouteKind         Code = "route-kind-is-invalid"
	CodeRedirectStatus    Code = "redirect-status-is-invalid"
	CodeOutgoingAuthority Code = "outgoing-url-host-must-be-literal"
	CodeRegexpInvalid     Code = "incoming-path-invalid-regular-expression"
	CodeCatchAllInvalid   Code = "catch-all-is-invalid"
	CodeFileNameInvalid   Code = "file-name-is-invalid"
	CodeFileURLInvalid    Code = "file-url-is-invalid"
)
