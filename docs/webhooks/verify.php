<?php

// Whether X-Keyplex-Signature, or X-Keyplex-Signature-Previous, is right for this body.
function verify_webhook(string $body, ?string $signature, string $secret): bool
{
    $expected = 'sha256=' . hash_hmac('sha256', $body, $secret);
    return hash_equals($expected, $signature ?? '');
}
