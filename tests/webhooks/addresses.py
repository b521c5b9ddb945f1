"""Hosts and URLs that lead inside, in every spelling that somebody has come up with; and their
neighbours outside.
"""


def words(text: str) -> list[str]:
    return text.split()


ONE, META = "127.0.0.1", "169.254.169.254"

# Both ends of every network that is not public, and what is known to live in it.
PRIVATE_V4 = words(
    """
0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.0.0.138 10.1.2.3 10.255.255.255 100.64.0.0
100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.0 127.0.0.1 127.0.0.53 127.0.1.1 127.1.2.3
127.127.127.127 127.255.255.255 168.63.129.16 169.254.0.0 169.254.0.1 169.254.169.123
169.254.169.253 169.254.169.254 169.254.170.2 169.254.170.23 169.254.255.255 172.16.0.0
172.16.0.1 172.17.0.1 172.20.10.1 172.31.255.255 192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.192
192.0.0.255 192.0.2.0 192.0.2.1 192.0.2.255 192.31.196.0 192.31.196.255 192.52.193.0
192.52.193.255 192.88.99.0 192.88.99.1 192.88.99.255 192.168.0.0 192.168.0.1 192.168.1.1
192.168.178.1 192.168.255.255 192.175.48.0 192.175.48.255 198.18.0.0 198.18.0.1 198.19.255.255
198.51.100.0 198.51.100.77 198.51.100.255 203.0.113.0 203.0.113.9 203.0.113.255 224.0.0.0
224.0.0.1 224.0.0.251 239.255.255.250 239.255.255.255 240.0.0.0 240.0.0.1 250.1.2.3
255.255.255.254 255.255.255.255
"""
)

PRIVATE_V6 = words(
    """
:: ::1 ::2 ::7f00:1 ::127.0.0.1 ::169.254.169.254 ::8.8.8.8 ::ffff:0:127.0.0.1 ::ffff:0:0
::ffff:0.0.0.0 ::ffff:7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a00:1 ::ffff:192.168.0.1
::ffff:172.16.0.1 ::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:100.100.100.200
::ffff:168.63.129.16 ::ffff:255.255.255.255 0:0:0:0:0:0:0:0 0:0:0:0:0:0:0:1
0000:0000:0000:0000:0000:0000:0000:0001 0:0:0:0:0:ffff:127.0.0.1 0:0:0:0:0:FFFF:7F00:0001
64:ff9b:: 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::
64:ff9b:1::a00:1 64:ff9b:1:ffff:ffff:ffff:ffff:ffff 64:ff9c::1 100:: 100::1 100:0:0:1::
100::ffff:ffff:ffff:ffff 1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:: 2001::1 2001:0:7f00:1::
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:1::2 2001:2:: 2001:2::1 2001:3::1
2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::
2001:db8::1 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:: 2002:7f00:1:: 2002:7f00:1::1
2002:a00:1:: 2002:a9fe:a9fe:: 2002:c0a8:1:: 2002:808:808::
2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2620:4f:8000:: 2620:4f:8000::1
2620:4f:8000:ffff:ffff:ffff:ffff:ffff 3fff:: 3fff::1 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff
4000:: 4000::1 5f00:: 5f00::1 8000::1 a000::1 c000::1 e000::1 f000::1 fc00:: fc00::1 fd00::1
fd00:ec2::23 fd00:ec2::254 fd12:3456::1 fd20:ce::254 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
fe00::1 fe80:: fe80::1 fe80::a9fe:a9fe febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0:: fec0::1
feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ff00:: ff01::1 ff02::1 ff02::2 ff02::fb ff05::1:3
ff0e::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
"""
)

SCOPED = ["fe80::1%eth0", "fe80::1%25eth0", "fe80::1%251", "::1%lo", "2600:1f18::1%25eth0"]

# The same few addresses as numbers: decimal, octal, hexadecimal, short, mixed, too large.
NUMBERS = words(
    """
0 1 00 0x0 127.1 127.0.1 127.0 127 0.0 0.0.0 10.1 10.0.1 172.16.1 192.168.1 192.168.257
169.254.43518 0177.0.0.1 0177.0.0.01 0177.0000.0000.0001 00177.0.0.1 0000177.1 0177.1
017700000001 0o177.0.0.1 127.0.0.01 127.0.0.001 127.00.0.1 127.000.000.001 010.0.0.1 012.1.2.3
0251.0376.0251.0376 0300.0250.0.1 0xa9.0xfe.0xa9.0xfe 0xA9FEA9FE 0xa9fea9fe 0x7f.0.0.1
0x7f.0x0.0x0.0x1 0x7f.1 0x7F.1 0x7f000001 0x7F000001 0x007f000001 0x7f.0.1 0xa.0.0.1 0xa000001
0xc0a80001 0xc0.0xa8.0.1 0x 127.0.0.0x1 127.0x1 0x7f.00.0x1 2130706433 2130706434 02130706433
167772161 2852039166 3232235521 2886729729 3221225664 1684301000 4294967295 4294967296
6425673729 4294967297 281470681743360 18446744073709551617 0x17f000001 0x100000000 0x1ffffffff
020000000000 425.510.425.510 256.256.256.256 256.0.0.1 127.0.0.256 127.0.0.257 127.0.0.1.1
1.127.0.0.1 127.0.0.0.1 383.0.0.1 999.999.999.999 -127.0.0.1 +127.0.0.1 127..0.0.1 127.0..1
.127.0.0.1 127.0.0.1. 127.0.0.1.. 2130706433. 0x7f000001. 10.0.0.1. 169.254.169.254. 8.8.8.8.
1e3 0x7f.0.0.0xzz 127.0.0.1,8.8.8.8 127.0.0.1;8.8.8.8 %31%32%37.0.0.1 127%2e0%2e0%2e1
127.0.0.1%00 %6c%6f%63alhost 127.0.0.1%20 127.0.0.1%2f@ok.com
"""
)

UNUSUAL_LETTERS = [
    "１２７.０.０.１",
    "１２７．０．０．１",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "⑯⑨。②⑤④。⑯⑨｡②⑤④",
    "𝟭𝟮𝟳.𝟬.𝟬.𝟭",
    "𝟙𝟚𝟟.𝟘.𝟘.𝟙",
    "¹²⁷.⁰.⁰.¹",
    "２１３０７０６４３３",
    "０ｘ７ｆ０００００１",
    "127.0.0.1\u200b",
    "127.0\u00ad.0.1",
    "１６９.254.169.254",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    "ｌｏｃａｌｈｏｓｔ",
    "𝓁𝑜𝒸𝒶𝓁𝒽𝑜𝓈𝓉",
    "ˡᵒᶜᵃˡʰᵒˢᵗ",
    "loc\u00adalhost",
    "localho\u017ft",
    "metadata.google.ⓘⓝⓣⓔⓡⓝⓐⓛ",
    "127.0.0.1／ok.com",
    "ok.com＠127.0.0.1",
    "ok.com\uff1a80",
    "\u2100.com",
    "a\u2488com",
    "[::①]",
    "[﹕﹕1]",
]

NAMES = words(
    """
localhost LOCALHOST LocalHost localhost. a.localhost deep.a.localhost localhost.localdomain
localhost6 ip6-localhost ip6-loopback localhost4.localdomain4.local loopback broadcasthost
foo.localdomain printer.local redis.internal host.docker.internal gateway.docker.internal
kubernetes.docker.internal metadata.google.internal METADATA.google.internal
metadata.google.internal. metadata metadata.internal instance-data.ec2.internal instance-data
ip-10-0-0-1.ec2.internal kubernetes kubernetes.default kubernetes.default.svc
kubernetes.default.svc.cluster.local redis postgres db web intranet wiki.intranet git.corp
vault.private nas.home router.lan fritz.home.arpa 1.0.0.127.in-addr.arpa
1.0.0.0.0.0.0.0.ip6.arpa abcdefghijklmnop.onion some.test some.invalid some.example
127.0.0.1.nip.io 7f000001.nip.io app.10.0.0.1.nip.io 10-0-0-1.nip.io magic-127-0-0-1.nip.io
169.254.169.254.nip.io 127.0.0.1.sslip.io www.192-168-0-1.sslip.io --1.sslip.io 127.0.0.1.xip.io
localtest.me a.localtest.me lvh.me www.lvh.me vcap.me lacolhost.com 127.0.0.1.traefik.me
-ok.com. ok..com .ok.com ok.com. ok_com_ a,b.com a*b.com *.com ok.com%2e ok!.com ok'.com
(ok).com
"""
)

HOSTS = [
    *PRIVATE_V4,
    *(f"[{address}]" for address in PRIVATE_V6 + SCOPED),
    *NUMBERS,
    *UNUSUAL_LETTERS,
    *NAMES,
]

URLS = [
    "",
    " ",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https:///127.0.0.1",
    "https:127.0.0.1",
    "https:/127.0.0.1",
    "https:ok.com",
    "//ok.com/",
    "ok.com",
    "/etc/passwd",
    "http://ok.com/",  # without permission
    "http://127.0.0.1/",
    f"http://{META}/latest/meta-data/",
    "http://ok.com:8080/",
    f"https://evil@{ONE}/",
    f"https://ok.com@{ONE}/",
    f"https://ok.com:443@{ONE}/",
    "https://user:word@ok.com/",
    "https://@ok.com/",
    "https://:@ok.com/",
    f"https://{ONE}#@ok.com/",
    f"https://{ONE}#.ok.com/",
    f"https://ok.com#@{ONE}/",
    "https://ok.com/#",
    "https://ok.com/#fragment",
    f"https://ok.com\\@{ONE}/",
    f"https://{ONE}\\@ok.com/",
    f"https://{ONE}\\.ok.com/",
    "https:\\\\127.0.0.1\\",
    f"https://{ONE}:443\\@@ok.com/",
    f"https://ok.com&@{ONE}# @ok.org/",
    f"https://{ONE} @ok.com/",
    f"https://ok.com @{ONE}/",
    f"https://{ONE}\t.ok.com/",
    "https://127.0.\t0.1/",
    "https://127.0.0\n.1/",
    "https://127.0.0.1\r\n/",
    "https://ok.com\r\nHost: 127.0.0.1/",
    "https://ok.com/\r\nX-Injected: yes",
    "https://ok.com/a b",
    "https://ok.com/\x00",
    "https://ok.com\x00.127.0.0.1/",
    "https://\x7fok.com/",
    "https://ok\x0b.com/",
    " https://127.0.0.1/",
    "\thttps://ok.com/",
    "https://ok.com/ ",
    "ht\ntps://ok.com/",
    "https://[::1/",
    "https://::1]/",
    "https://::1/",
    "https://[127.0.0.1]/",
    "https://[::1].ok.com/",
    "https://[::1]ok.com/",
    "https://ok.com[::1]/",
    "https://[ok.com]/",
    "https://[v1.ok]/",
    "https://[]/",
    "https://[::1]:443:443/",
    "https://[::1%25lo]:8443/",
    f"https://{ONE}:8443/",
    f"https://{ONE}:443/",
    "https://ok.com:0/",
    "https://ok.com:22/",
    "https://ok.com:25/",
    "https://ok.com:80/",
    "https://ok.com:5432/",
    "https://ok.com:6379/",
    "https://ok.com:8000/",
    "https://ok.com:8080/",
    "https://ok.com:11211/",
    "https://ok.com:65535/",
    "https://ok.com:65536/",
    "https://ok.com:65979/",
    "https://ok.com:-443/",
    "https://ok.com:+443/",
    "https://ok.com:4 43/",
    "https://ok.com:443a/",
    "https://ok.com:0x1bb/",
    "https://ok.com:٤٤٣/",
    "https://ok.com:443:6379/",
    f"https://ok.com:443@{ONE}:443/",
    "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 127 + "com/",
    "https://ok.com/" + "a" * 2000,
    *(
        f"{scheme}://{ONE}:6379/_x"
        for scheme in (
            *("file", "gopher", "dict", "ftp", "ftps", "sftp", "tftp", "ldap", "ldaps", "smb"),
            *("ws", "wss", "redis", "unix", "jar", "netdoc", "telnet", "ssh", "git", "rtsp"),
            *("imap", "pop3", "smtp", "php", "expect", "httpx", "https+unix", "h2", "HTTPSS"),
        )
    ),
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "unix:/var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    f"jar:https://{ONE}!/",
    f"url:https://{ONE}/",
    f"view-source:https://{ONE}/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "mailto:root@localhost",
    "about:blank",
    "blob:https://ok.com/1",
]

PUBLIC = words(
    """
1.0.0.1 1.1.1.1 8.8.4.4 8.8.8.8 9.9.9.9 9.255.255.255 11.0.0.0 13.107.42.14 17.253.144.10
23.1.2.3 34.117.59.81 52.94.236.248 64.233.160.1 76.76.21.21 93.184.216.34 99.86.0.1
100.63.255.254 100.63.255.255 100.128.0.0 100.128.0.1 104.16.132.229 126.255.255.255 128.0.0.0
140.82.112.3 142.250.74.46 151.101.1.69 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0
172.15.255.255 172.32.0.0 172.32.0.1 185.199.108.153 191.255.255.255 192.0.1.0 192.0.1.255
192.0.3.0 192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0
192.167.255.255 192.169.0.0 192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255
198.51.101.0 199.0.0.1 203.0.112.255 203.0.114.0 216.58.214.14 223.255.255.255 2000::1
2001:200:: 2001:4860:4860::8888 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2003::1
2400:cb00:2048:1::c629:d7a2 2600:1f18::1 2606:4700:4700::1111 2620:4f:7fff:ffff::1
2620:4f:8001:: 2620:fe::fe 2a00:1450:4001:81b::200e 2a04:4e42::81 2c0f:fb50::1
3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000:: ::ffff:8.8.8.8 ::ffff:1.1.1.1
"""
)

GOOD_URLS = [
    "https://ok.com",
    "https://ok.com/",
    "HTTPS://OK.com/hooks?a=1&b=%20",
    "https://ok.com:443/",
    "https://ok.com:8443/hooks",
    "https://hooks.sub-domain.ok.co.uk/",
    "https://bücher.de/",
    "https://xn--bcher-kva.de/",
    "https://例え.jp/受信?名=値",
    "https://ok_1.ok.com/",
    "https://internal.ok.com/",
    "https://localhost.ok.com/",
    "https://10.ok.com/",
    "https://0x7f.ok.com/",
    "https://93.184.216.34/",
    "https://[2606:4700:4700::1111]:8443/",
    "https://ok.com/@path:with/../dots;and\"quotes'?q=a@b:c\\"[:-1],
]
