require "openssl"

# Whether X-Keyplex-Signature, or X-Keyplex-Signature-Previous, is right for this body.
def verify_webhook(body, signature, secret)
  expected = "sha256=" + OpenSSL::HMAC.hexdigest("SHA256", secret, body)
  OpenSSL.secure_compare(expected, signature.to_s)
end
