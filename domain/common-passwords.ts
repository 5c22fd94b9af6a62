/**
 * Passwords that every guessing list starts with, in small letters. Only such as are long enough to pass the other
 * rules, or become so with capitals, are worth a line; shorter ones are refused for their length.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `
password1! password12! password123! password1234! password123$ password123# password2024! password2025! password2026!
p@ssword1! p@ssword12! p@ssword123 p@ssword123! p@ssw0rd1! p@ssw0rd12 p@ssw0rd123 p@ssw0rd123! p@ssw0rd2025 p@ssw0rd2026
p@$$w0rd12 p@$$w0rd123 passw0rd1! passw0rd12! passw0rd123! pa$$word123 pa$$w0rd123 pa$$w0rd1234
welcome123! welcome1234! welcome@123 welcome2025! welcome2026! w3lcome123! changeme1! changeme12! changeme123! letmein123!
letmein1234! iloveyou1! iloveyou12! iloveyou123! qwerty123! qwerty1234! qwerty@123 qwerty12345! qwertyuiop1! qwertyuiop1!2
qwer1234!@#$ asdf1234!@#$ asdfghjkl1! zxcvbnm123! 1q2w3e4r5t! 1qaz2wsx3edc! 1qaz@wsx3edc !qaz2wsx3edc 1qaz!qaz2wsx@wsx
abcd1234!@#$ abc123456! abc@123456 abcd@12345 abcdef123! aa123456789! test@12345 test12345! testing123!
admin123!@# admin@1234 admin@12345 admin1234! admin12345! administrator1! root@12345 superman123! football123! monkey123!
dragon123! master123! sunshine1! sunshine123! princess1! princess123! summer2025! summer2026! winter2025! winter2026!
rahasia123! rahasia1234! sandi12345! katasandi1! katasandi123! indonesia1! indonesia123! indonesia45! indonesia1945! merdeka1945!
merdeka123! merdeka17845! jakarta123! jakarta2025! jakarta2026! bismillah1! bismillah12! bismillah123! bismillah786!
alhamdulillah1! sayang123! sayangku123! cintaku123! garuda123! surabaya123! bandung123! perizinan123! umkm12345!
passwordpassword password12345678 password123456789 passwordpassword1 1234567890123456 12345678901234567890 123456789012345678
1234123412341234 1111111111111111 0000000000000000 aaaaaaaaaaaaaaaa qwertyuiopasdfgh qwertyuiopasdfghjkl qwertyqwertyqwerty
qwertyuiopasdfghjklzxcvbnm abcdefghijklmnop abcdefghijklmnopqrstuvwxyz 1q2w3e4r5t6y7u8i 1qaz2wsx3edc4rfv 1qaz2wsx3edc4rfv5tgb
q1w2e3r4t5y6u7i8 iloveyouiloveyou correcthorsebatterystaple indonesiaindonesia indonesiamerdeka bismillahirrahmanirrahim
alhamdulillahirabbilalamin assalamualaikum123 sayangsayangsayang
`
    .trim()
    .split(/\s+/),
);
