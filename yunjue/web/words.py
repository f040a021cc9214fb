"""Words of buttons, links and fields, in the languages of many pages.

Latin words match whole words, whatever their case; those of scripts without spaces match
anywhere. The lists are meant to ask too often rather than too seldom.
"""

from __future__ import annotations

import re
import unicodedata

_LATIN = {
    "buys or pays": """
        buy purchase pay payment order(?!\\s+(?:history|status|by|list|number|details))
        preorder donate bid checkout\\s+now  place\\s+(?:\\w+\\s+)?order  book reserve subscribe
        kaufen bestellen bezahlen zahlungspflichtig buchen reservieren spenden abonnieren
        acheter payer commander réserver  s'abonner  commande  paiement
        comprar pagar pago pedir reservar donar suscribirse  realizar\\s+pedido
        acquista compra paga ordina prenota abbonati  invia\\s+ordine
        encomendar  finalizar\\s+compra  assinar
        kopen betalen afrekenen boeken doneren
        kup kupuję zapłać zamów zamawiam  satın\\s+al  öde  köp betala beställ boka
        købe betal bestil kjøp osta maksa tilaa купить оплатить заказать  оформить\\s+заказ
        забронировать придбати сплатити αγορά πληρωμή שלם קנה
    """,
    "sends or publishes": """
        send post publish share reply tweet transfer wire invite confirm
        apply(?!\\s+filter)  sign(?!\\s*(?:in|up|on|out)\\b)
        senden absenden abschicken veröffentlichen teilen überweisen bewerben einladen bestätigen
        envoyer publier partager répondre transférer virer postuler confirmer
        enviar publicar compartir responder transferir postular confirmar
        invia pubblica condividi rispondi trasferisci conferma
        compartilhar  verzenden versturen plaatsen delen overmaken bevestigen
        wyślij opublikuj udostępnij przelej potwierdź gönder paylaş yayınla onayla
        skicka publicera dela bekräfta lähetä julkaise отправить опубликовать перевести
        подтвердить надіслати
    """,
    "deletes or ends": """
        delete erase destroy wipe purge deactivate terminate unsubscribe
        remove\\s+(?:account|user|file|all|permanently|repository)
        cancel\\s+(?:\\w+\\s+)?(?:order|subscription|booking|account|membership)  close\\s+account
        löschen kündigen stornieren  konto\\s+schließen  supprimer effacer résilier
        eliminar borrar  cancelar\\s+(?:pedido|suscripción|cuenta)  elimina cancella disdici
        excluir apagar  verwijderen wissen opzeggen usuń skasuj sil kaldır
        radera  ta\\s+bort  slet poista удалить стереть видалити
    """,
}
_ANYWHERE = {
    "buys or pays": """
        购买 購買 支付 付款 下单 下單 结算 結算 预订 預訂 订购 訂購 購入 注文 支払 予約 申し込
        구매 결제 주문 예약 구독 شراء ادفع دفع اطلب احجز खरीदें भुगतान ซื้อ ชำระ
    """,
    "sends or publishes": """
        发送 發送 发布 發佈 提交订单 转账 轉帳 分享 确认 確認 送信 投稿 振込 共有
        전송 보내기 게시 이체 공유 확인 إرسال نشر تحويل مشاركة تأكيد भेजें ส่ง
    """,
    "deletes or ends": "删除 刪除 注销 取消订单 削除 退会 解約 삭제 탈퇴 해지 حذف إلغاء हटाएं ลบ",
}

PERSONAL = """
    e-?mail phone telephone mobile address street zip postcode postal city birth birthday ssn
    passport iban card cardholder cvv cvc password passcode pin surname lastname firstname fullname
    (?:first|last|full|family|given|your|card)\\s+name  social\\s+security  account\\s+number
    telefon adresse straße strasse plz postleitzahl geburtsdatum vorname nachname passwort karte
    kontonummer  téléphone rue prénom nom naissance  mot\\s+de\\s+passe  carte
    teléfono dirección calle nombre apellidos? nacimiento contraseña tarjeta correo
    telefono indirizzo nome cognome nascita telefone endereço sobrenome senha cartão
    adres voornaam achternaam wachtwoord kaartnummer imię nazwisko hasło adı soyadı şifre
    адрес телефон имя фамилия пароль карта
"""
_PERSONAL_ANYWHERE = """
    邮箱 郵箱 电话 電話 手机 手機 地址 姓名 身份证 密码 密碼 银行卡 メール 住所 氏名 名前 パスワード
    이메일 전화 주소 이름 비밀번호 카드 البريد هاتف عنوان الاسم كلمة
"""
CREDENTIAL = """
    password passcode passphrase pin otp token key secret code passwort kennwort
    mot\\s+de\\s+passe  contraseña senha wachtwoord hasło şifre lösenord пароль
    user username login  e-?mail benutzername usuario utilisateur konto
"""
_CREDENTIAL_ANYWHERE = "密码 密碼 パスワード 비밀번호 كلمة 用户名 帐号"
LOGIN = """
    log\\s?in  sign\\s?in  log\\s?on  anmelden einloggen connexion  se\\s+connecter
    iniciar\\s+sesión  entrar accedi inloggen zaloguj giriş  logga\\s+in  войти
"""
_LOGIN_ANYWHERE = "登录 登入 ログイン サインイン 로그인 دخول"
MESSAGE = """
    message comment reply chat nachricht kommentar commentaire mensaje comentario messaggio
    mensagem bericht wiadomość mesaj meddelande сообщение комментарий
"""
_MESSAGE_ANYWHERE = "消息 评论 評論 メッセージ コメント 메시지 댓글 رسالة تعليق"
ADDRESSES = """
    buy pay purchase delete remove destroy erase unsubscribe confirm send transfer terminate
    deactivate placeorder submitorder
"""


def folded(text: str) -> str:
    """``text`` as it is compared: compatible forms unified, no case, no invisible characters."""
    seen = unicodedata.normalize("NFKC", text)
    return "".join(c for c in seen if unicodedata.category(c) != "Cf").casefold()


def _pattern(words: str, anywhere: str = "") -> re.Pattern[str]:
    """Words stand apart by white space; a phrase has its own written as ``\\s``, and two spaces
    around it."""
    whole = "|".join(folded_word for word in words.split() if (folded_word := word.casefold()))
    parts = [rf"(?<!\w)(?:{whole})(?!\w)"]
    parts += [re.escape(word) for word in anywhere.split()]
    return re.compile("|".join(parts))


IRREVERSIBLE = {what: _pattern(words, _ANYWHERE[what]) for what, words in _LATIN.items()}
"""What a click does -> words that say so."""
PERSONAL_FIELD = _pattern(PERSONAL, _PERSONAL_ANYWHERE)
CREDENTIAL_FIELD = _pattern(CREDENTIAL, _CREDENTIAL_ANYWHERE)
LOGIN_BUTTON = _pattern(LOGIN, _LOGIN_ANYWHERE)
MESSAGE_FIELD = _pattern(MESSAGE, _MESSAGE_ANYWHERE)
TELLING_ADDRESS = _pattern(ADDRESSES)
"""Parts of an address that do something when it is only opened, on pages that are badly made."""


def deed(text: str) -> str:
    """What ``text`` on a button says that it does, if that cannot be taken back; else ""."""
    seen = folded(text)
    return next((what for what, words in IRREVERSIBLE.items() if words.search(seen)), "")
