"""The words by which keys are judged: data only.

Phrases are written without separators, so that `first_name`, `firstName`, `first-name` and `firstname` are one.
"""

from .kinds import Kind


def words(text: str) -> frozenset[str]:
    """The words of `text` as a set; a long list reads better as a sentence than one to a line."""
    return frozenset(text.split())


def _phrases(kind: Kind, phrases: str) -> dict[str, Kind]:
    return dict.fromkeys(phrases.split(), kind)


PHRASES: dict[str, Kind] = {
    # What the decoders call values of SQL whose columns nobody names.
    "unnamedsecret": Kind.UNNAMED,
    **_phrases(
        Kind.PASSWORD,
        "securityanswer secretanswer password passwd pwd passphrase passcode userpass dbpass mypass pass pswd "
        "passwort motdepasse contrasena",
    ),
    **_phrases(
        Kind.SECRET,
        "secret clientsecret apikey apitoken apisecret appkey appsecret accesskey accesskeyid secretkey privatekey "
        "signingkey encryptionkey masterkey sharedkey servicekey sshkey authkey licensekey licencekey "
        "secretaccesskey "
        "accesstoken refreshtoken idtoken authtoken bearertoken sessiontoken securitytoken devicetoken pushtoken "
        "csrf csrftoken xsrf xsrftoken csrfmiddlewaretoken authenticitytoken requestverificationtoken token jwt "
        "authorization credential credentials creds auth session sessionid sessid sid jsessionid "
        "phpsessid aspnetsessionid connectsid sessionkey authcode authorizationcode codeverifier assertion "
        "samlresponse clientassertion rememberme bearer oauth signature sig hmac recoverycode recoverykey "
        "backupcode mnemonic "
        "seedphrase webhooksecret connectionstring dsn subscriptionkey functionskey",
    ),
    **_phrases(
        Kind.DROP,
        "cvv cvc cvv2 cvc2 cvn csc cvvcode cvccode cardsecuritycode securitycode cardcode cardcvc cardcvv "
        "pin pinnumber cardpin otp otpcode onetimepassword onetimecode onetimepasscode totp totpcode mfacode "
        "mfatoken "
        "twofactorcode 2facode smscode verificationcode confirmationpin passwordotp track1 track2 trackdata pinblock",
    ),
    **_phrases(Kind.EMAIL, "email emailaddress mail mailaddress emailaddr emailid useremail replyto"),
    **_phrases(
        Kind.PHONE,
        "phone phonenumber phoneno telephone telephonenumber tel mobile mobilephone mobilenumber mobileno cellphone "
        "cell cellnumber msisdn fax faxnumber phonee164 contactnumber whatsapp landline",
    ),
    **_phrases(Kind.PAN, "pan cardnumber cardno creditcard creditcardnumber ccnumber ccnum debitcard cardnum ccno"),
    **_phrases(Kind.IBAN, "iban ibannumber"),
    **_phrases(Kind.SSN, "ssn ssnnumber socialsecuritynumber socialsecurity socialsecurityno"),
    **_phrases(
        Kind.NAME,
        "firstname lastname fullname middlename givenname familyname surname forename maidenname legalname "
        "cardholdername cardholder accountholder accountholdername holdername holder nameoncard realname fname lname "
        "vorname nachname prenom nickname preferredname mothersmaidenname patientname",
    ),
    **_phrases(
        Kind.STREET,
        "street streetaddress streetname streetline addressline addr addressline1 addressline2 line1 line2 "
        "homeaddress postaladdress mailingaddress billingaddress shippingaddress deliveryaddress residentialaddress "
        "address fulladdress housenumber",
    ),
    **_phrases(
        Kind.BIRTH, "dob dateofbirth birthdate birthday birthdt bday dobdate geburtsdatum birthtime datenaissance"
    ),
    **_phrases(
        Kind.NUMBER,
        "passport passportnumber passportno driverlicense driverslicense driverlicence driverslicence "
        "driverlicensenumber driverslicensenumber driverlicencenumber drivinglicence drivinglicencenumber "
        "licencenumber licensenumber licenseno licenceno driverlicenseno driverslicenseno ein licenseplate "
        "licenceplate "
        "numberplate platenumber vin vehicleidentificationnumber "
        "accountnumber accountno acctnumber acctno bankaccount bankaccountnumber routingnumber sortcode taxid "
        "taxnumber tin vatnumber itin nationalid nationalidnumber nationalinsurancenumber nationalinsurance "
        "nino nhs nhsnumber "
        "sin aadhaar aadhar aadhaarnumber cpf curp mrn medicalrecordnumber patientid healthplannumber "
        "insurancenumber "
        "policynumber identitynumber idnumber idcardnumber socialinsurancenumber imei imsi iccid deviceid "
        "deviceserial advertisingid idfa gaid last4 lastfour cardlast4 pancardnumber personnummer bsn",
    ),
    **_phrases(Kind.COOKIE, "cookie cookies setcookie"),
    **_phrases(Kind.HANDLE, "username userlogin login loginname loginid"),
    **_phrases(
        Kind.IP,
        "ip ipaddress ipaddr ipv4 ipv6 clientip remoteip remoteaddr remoteaddress clientaddress userip sourceip "
        "lastip loginip signupip "
        "lastloginip registrationip customerip",
    ),
}

# What these announce in a name made of parts (`sess:<id>`, `password_reset:17`) is a secret; as keys they say nothing.
SEGMENT_SECRETS = words(
    "sess passwordreset resetpassword pwreset pwdreset resetcode resetlink forgotpassword emailverification "
    "verifyemail emailconfirmation magiclink invitation activation refresh nonce apikeys accesskeys 2fa mfa "
    "twofactor phpredissession impersonation"
)
SECRET_KINDS = frozenset({Kind.SECRET, Kind.PASSWORD, Kind.DROP, Kind.COOKIE})

# Phrases that end in a sensitive word and are not sensitive.
HARMLESS_PHRASES = words(
    "macaddress hostaddress walletaddress contractaddress memoryaddress baseaddress bindaddress listenaddress "
    "pagetoken nextpagetoken nexttoken prevtoken pagingtoken paginationtoken continuationtoken synctoken "
    "previoustoken canceltoken idempotencytoken paymentmethodtoken stoptoken starttoken endtoken eostoken bostoken "
    "unktoken padtoken rejectedtoken outputtoken inputtoken prompttoken completiontoken totaltoken maxtoken "
    "sessionduration checkinpin mappin droppin firstpass bypass compass boardingpass seasonpass daypass skippass "
    "pricecell gridcell tablecell batterycell fuelcell methodsignature functionsignature typesignature "
    "htmlemail isemail hasemail sendemail requireemail acceptsmarketingemail hasphone isphone ismobile "
    "isip trackingpin functionauth requireauth requiresauth needsauth isauth hasauth noauth "
    "haspassword requirepassword requirespassword haspin hastoken hassession hassecret isbot "
    "clientcid googlecid vintagesin trainingsession coachingsession workoutsession classsession gamesession "
    "checkpoint singlepass signaturesig"
)

# Words that may follow a sensitive one and leave its meaning.
QUALIFIERS = words(
    "confirmation confirm confirmed again repeat repeated retype value hash hashed digest plain plaintext raw "
    "encoded "
    "encrypted normalized canonical lower text str string field input"
)

PERSON_WORDS = words(
    "customer user person contact recipient owner holder cardholder patient employee guest passenger "
    "beneficiary payee "
    "payer sender receiver billing shipping buyer member driver student tenant consignee traveler traveller "
    "applicant "
    "subscriber profile individual attendee shipper insured client spouse doctor nurse friend manager assignee"
)
ADDRESS_WORDS = words("address billing shipping delivery addr residence shipto billto soldto deliverto")
# Parents that make a phrase with the key below them: card.number, account.number, session.id.
JOINING_WORDS = words(
    "card creditcard debitcard cc paymentcard bankcard account bankaccount passport license licence bank insurance "
    "identity policy session csrf"
)

# Keys whose text may say what the value beside them is.
LABEL_WORDS = words("name key type field label header param parameter attribute property kind id")
VALUE_WORDS = words("value val")
# Children of a sensitive container that hold the value itself: {"phone": {"number": "…", "type": "home"}}.
INHERITING_WORDS = words("value val values content data raw text number address plain current primary")

# Below these stand sentences about fields ("password": ["is too short"]), not their values.
MESSAGE_WORDS = words("errors error messages violations validation hints descriptions translations i18n")

# Parts that describe a secret and are none: {"token": {"type": "bearer", "expires_in": 3600}}.
DATA_WORDS = words(
    "type kind id name scope scopes expires expiry in at issuer alg algorithm status version description format "
    "title "
    "minlength maxlength provider created updated required default method enabled use kty"
)

# Names of operators in queries (MongoDB and others): what stands below them is what stands above them.
OPERATORS = words("$eq $ne $gt $gte $lt $lte $in $nin $all $regex $not $elemMatch $each $exists")
# Redis' commands whose arguments, or answers, are members of what their key names.
MEMBER_COMMANDS = words(
    "SADD SREM SISMEMBER SMISMEMBER SMEMBERS SPOP SRANDMEMBER SMOVE SSCAN SINTER SUNION SDIFF LPUSH RPUSH LPUSHX "
    "RPUSHX LREM LSET LRANGE LINDEX LPOP RPOP LPOS LINSERT BLPOP BRPOP ZADD ZREM ZSCORE ZMSCORE ZRANK ZREVRANK "
    "ZINCRBY ZRANGE ZREVRANGE ZRANGEBYSCORE ZPOPMIN ZPOPMAX ZSCAN PFADD HGET HSET HDEL HEXISTS HMGET HGETALL HKEYS "
    "HSETNX HINCRBY HSCAN HMSET"
)
